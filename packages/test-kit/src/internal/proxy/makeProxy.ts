/**
 * The proxy behind `FaultProxy`: a listener, its connections, and the faults that they look up.
 */
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Net from "node:net"
import type {
  AcceptMode,
  Direction,
  Ending,
  FaultProxy,
  FrameMatch,
  FrameRecord,
  Options,
  RuleHandle,
  Seen,
  Shape,
  Target
} from "./model.ts"
import { type ActiveRule, apply, encode, FrameReader, matches, take } from "./frameRules.ts"
import { listen } from "./listen.ts"
import { freePorts } from "../server/ports.ts"
import { makePipe, type Pipe } from "./proxyPipe.ts"
import { inRealTime } from "../server/serverInstance.ts"

interface Connection {
  readonly client: Net.Socket
  readonly server: Net.Socket | undefined
  readonly pipes: Record<Direction, Pipe> | undefined
  readonly end: (ending: Ending) => void
}

type Cut = Parameters<FaultProxy["cutNext"]>[0]

export const makeProxy = Effect.fnUntraced(function* (firstTarget: Target, options: Options) {
  const { editGreeting, host = "127.0.0.1", raw = false, targetPatience } = options
  const context = yield* Effect.context<never>()
  const run = Effect.runForkWith(context)

  let target = firstTarget
  let mode: AcceptMode = "forward"
  let nextCut: Cut | undefined
  let rules: Array<ActiveRule> = []
  const gates: Record<Direction, Latch.Latch> = { up: Latch.makeUnsafe(true), down: Latch.makeUnsafe(true) }
  const shapes: Record<Direction, Shape> = { up: {}, down: {} }
  const connections = new Set<Connection>()
  const frames: Array<FrameRecord> = []
  let accepted = 0

  const waiting = new Set<() => void>()
  const changed = () => {
    waiting.forEach((check) => check())
  }
  const seen = (): Seen => ({ accepted, current: connections.size, frames })
  const until = (done: () => boolean): Effect.Effect<void> =>
    Effect.callback((resume) => {
      const check = () => {
        if (!done()) return
        waiting.delete(check)
        resume(Effect.void)
      }
      waiting.add(check)
      check()
      return Effect.sync(() => waiting.delete(check))
    })

  /** Cuts one direction's bytes into frames, and lets the rules have them. */
  const framed = (id: number, direction: Direction, reader: FrameReader, pipe: Pipe, end: (ending: Ending) => void) => {
    const splitter = new FrameSplitter(0x7fffffff)
    let swapped: Uint8Array | undefined
    const onFrame = (body: Uint8Array) => {
      const frame = reader.read(id, direction, body)
      frames.push(frame)
      const rule = take(rules, frame)
      const outputs = rule === undefined ? [encode(body)] : apply(rule.action, body)
      if (rule?.action._tag === "Hold") rule.held.push(() => outputs.forEach(pipe.offer))
      else if (rule?.action._tag === "Swap" && swapped === undefined) swapped = encode(body)
      else {
        outputs.forEach(pipe.offer)
        if (swapped !== undefined) pipe.offer(swapped)
        swapped = undefined
      }
      changed()
    }
    return (chunk: Uint8Array) => {
      try {
        splitter.push(chunk, (bytes, start, stop) => onFrame(bytes.slice(start, stop)))
      } catch {
        // A negative length: there are no frames to be found from here on.
        end("rst")
      }
    }
  }

  const dial = () => Net.connect({ ...target, allowHalfOpen: true, noDelay: true })

  /** Connects to the target as soon as that listens, if it does in time. */
  const forwardInTime = (id: number, client: Net.Socket, timeout: Duration.Input): void => {
    const waiting = holdOpen(client)
    const dialled = Effect.callback<Net.Socket, Error>((resume) => {
      const server = dial()
      server.once("connect", () => resume(Effect.succeed(server)))
      server.once("error", (error) => resume(Effect.fail(error)))
      return Effect.sync(() => server.destroy())
    })
    run(
      dialled.pipe(
        Effect.retry({ schedule: Schedule.spaced("20 millis"), while: () => !client.destroyed }),
        Effect.timeoutOption(timeout),
        Effect.match({
          onFailure: () => finish(client, "rst"),
          onSuccess: (server) => {
            connections.delete(waiting)
            if (Option.isNone(server)) finish(client, "rst")
            else forward(id, client, server.value)
          }
        }),
        inRealTime
      )
    )
  }

  /** A connection of which nothing is read, until it is closed. */
  const holdOpen = (client: Net.Socket): Connection => {
    const connection: Connection = {
      client,
      server: undefined,
      pipes: undefined,
      end: (ending) => finish(client, ending)
    }
    connections.add(connection)
    client.once("close", () => {
      connections.delete(connection)
      changed()
    })
    return connection
  }

  const forward = (id: number, client: Net.Socket, server: Net.Socket): void => {
    const cut = nextCut
    nextCut = undefined
    const fibers: Array<Fiber.Fiber<never>> = []
    let ended = false
    const end = (ending: Ending) => {
      if (ended) return
      ended = true
      finish(client, ending)
      finish(server, ending)
    }
    const pipeBetween = (from: Net.Socket, to: Net.Socket, direction: Direction) =>
      Effect.runSyncWith(context)(
        inRealTime(
          makePipe({
            to,
            gate: gates[direction],
            shape: () => shapes[direction],
            cut: cut?.direction === direction ? cut : undefined,
            end,
            setReading: (isReading) => void (isReading ? from.resume() : from.pause())
          })
        )
      )
    const pipes = { up: pipeBetween(client, server, "up"), down: pipeBetween(server, client, "down") }
    const reader = new FrameReader()
    const attach = (from: Net.Socket, direction: Direction) => {
      const pipe = pipes[direction]
      let isGreeting = direction === "up" && editGreeting !== undefined
      const offer = (chunk: Uint8Array) => {
        pipe.offer(isGreeting && editGreeting !== undefined ? editGreeting(chunk) : chunk)
        isGreeting = false
      }
      from.on("data", raw ? offer : framed(id, direction, reader, pipe, end))
      from.on("end", () => pipe.offer("fin"))
      from.on("error", () => pipe.offer("reset"))
      fibers.push(run(inRealTime(pipe.run)))
    }
    attach(client, "up")
    attach(server, "down")

    const connection: Connection = { client, server, pipes, end }
    connections.add(connection)
    const closed = () => {
      if (!client.destroyed || !server.destroyed) return
      fibers.forEach((fiber) => fiber.interruptUnsafe())
      connections.delete(connection)
      changed()
    }
    client.once("close", closed)
    server.once("close", closed)
  }

  const listener = Net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted++
    client.on("error", () => {})
    if (mode === "forward") {
      if (targetPatience === undefined) forward(accepted, client, dial())
      else forwardInTime(accepted, client, targetPatience)
    } else if (mode === "hang") {
      holdOpen(client)
      client.resume()
    } else finish(client, mode === "close" ? "fin" : "rst")
    changed()
  })

  const [chosen = 0] = options.port === undefined ? yield* freePorts(1) : [options.port]
  const port = yield* listen(listener, chosen, host)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      listener.close()
      for (const { client, server } of connections) {
        client.destroy()
        server?.destroy()
      }
    })
  )

  const accept = (next: AcceptMode) =>
    Effect.suspend(() => {
      mode = next
      if (next === "refuse") {
        listener.close()
        return Effect.void
      }
      return listener.listening ? Effect.void : Effect.asVoid(listen(listener, port, host))
    })

  const proxy: FaultProxy = {
    host,
    port,
    connectString: `${host}:${port}`,
    setTarget: (next) => Effect.sync(() => void (target = next)),
    accept,
    dropAll: (ending) => Effect.sync(() => [...connections].forEach((connection) => connection.end(ending))),
    halfClose: (side) => Effect.sync(() => connections.forEach((connection) => connection[side]?.end())),
    blackHole: (direction) => Effect.sync(() => both(direction).forEach((each) => gates[each].closeUnsafe())),
    shape: (direction, shape) => Effect.sync(() => both(direction).forEach((each) => (shapes[each] = shape))),
    cutNext: (cut) => Effect.sync(() => void (nextCut = cut)),
    rule: ({ action, count = 1, match, skip = 0 }) =>
      Effect.sync((): RuleHandle => {
        const rule: ActiveRule = { match, action, skip, left: count, hits: 0, held: [] }
        rules.push(rule)
        return {
          hits: Effect.sync(() => rule.hits),
          awaitHits: (hits = 1) => until(() => rule.hits >= hits),
          release: Effect.sync(() => {
            rule.left = 0
            rule.held.splice(0).forEach((deliver) => deliver())
          })
        }
      }),
    inject: (direction, body) =>
      Effect.sync(() => connections.forEach((connection) => connection.pipes?.[direction].offer(encode(body)))),
    heal: Effect.suspend(() => {
      nextCut = undefined
      rules = []
      for (const direction of both("both")) {
        shapes[direction] = {}
        gates[direction].openUnsafe()
      }
      return accept("forward")
    }),
    seen: Effect.sync(() => ({ ...seen(), frames: [...frames] })),
    awaitSeen: (predicate) => until(() => predicate(seen())),
    awaitFrames: (match: FrameMatch, count = 1) =>
      Effect.suspend(() => {
        let read = 0
        let hits = 0
        return until(() => {
          for (; read < frames.length; read++) if (matches(match, frames[read]!)) hits++
          return hits >= count
        })
      }),
    requests: Effect.sync(() =>
      frames.flatMap(({ direction, op }) => (direction === "up" && typeof op === "number" ? [op] : []))
    )
  }
  return proxy
})

/** Ends one socket as a test asked for; what was written before is sent first. */
const finish = (socket: Net.Socket, ending: Ending): void => {
  if (socket.destroyed) return
  if (ending === "fin") socket.destroySoon()
  else if (socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}

const both = (direction: Direction | "both"): ReadonlyArray<Direction> =>
  direction === "both" ? ["up", "down"] : [direction]
