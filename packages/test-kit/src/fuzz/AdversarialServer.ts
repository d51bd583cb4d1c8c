/**
 * Whole sessions with a server whose bytes are broken on the way, in a simulated world that a seed decides.
 *
 * Whatever the client receives: each call ends, with a value or with an error of its type; and when the server is right
 * again, so is the client.
 */
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import type * as Simulation from "@effect-zookeeper/server/Simulation"
import * as Session from "@effect-zookeeper/session/Session"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { encode, framesOf } from "../internal/proxy/frameRules.ts"
import * as LyingServer from "../simulation/LyingServer.ts"
import { choices, type Choose, concat, mutate, noise, pieces } from "./Mutation.ts"

/** A rule that the client broke. */
export class InvariantViolation extends Data.TaggedError("InvariantViolation")<{ readonly message: string }> {}

/** Builds the world and judges the client in it; gives how many frames were broken. */
export const run: Effect.Effect<{ readonly broken: number }, InvariantViolation, Simulation.Simulation> =
  Effect.suspend(() => {
    const errors: Array<string> = []
    // The client logs its own mistakes and goes on; there must be none.
    const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
      if (logLevel === "Error" || logLevel === "Fatal") errors.push(`${String(message)} ${Cause.pretty(cause)}`)
    })
    return Effect.flatMap(Effect.provide(runSession, Logger.layer([logger])), (result) =>
      errors.length === 0
        ? Effect.succeed(result)
        : Effect.fail(new InvariantViolation({ message: `an error was logged: ${errors[0]}` }))
    )
  })

// ---- internal

const runSession: Effect.Effect<{ readonly broken: number }, InvariantViolation, Simulation.Simulation> = Effect.scoped(
  Effect.gen(function* () {
    const server = yield* Layer.build(
      EmbeddedServer.layerMemoryWith({
        tickTime: "200 millis",
        minSessionTimeout: 1000,
        maxSessionTimeout: "10 seconds"
      })
    )
    const corruption = {
      isOn: true,
      probability: (yield* Random.nextBoolean) ? 0.02 : 0.15,
      choose: choices(yield* Random.nextIntBetween(0, 0x7fffffff)),
      broken: 0
    }
    const layer = ZooKeeper.layerSession().pipe(
      Layer.provide(
        Session.layer({
          sessionTimeout: "2400 millis",
          connectTimeout: "1 minute",
          requestTimeout: "1 second",
          // Small, so that frames exceed it.
          maxFrameSize: 16_384
        })
      ),
      Layer.provide(Layer.succeed(Transport, corrupted(Context.get(server, Transport), corruption)))
    )
    const scope = yield* Scope.make()
    const built = yield* Effect.exit(Layer.buildWithScope(Layer.fresh(layer), scope))
    if (Exit.isFailure(built))
      return yield* new InvariantViolation({ message: `no session: ${Cause.pretty(built.cause)}` })
    const zk = Context.get(built.value, ZooKeeper.ZooKeeper)

    const workers = yield* Effect.forEach([1, 2, 3], (worker) => Effect.forkChild(work(zk, worker)))
    const streams = yield* Effect.forEach(
      [zk.dataChanges("/a"), zk.childrenChanges("/"), zk.events("/", { recursive: true })],
      (stream) =>
        Effect.forkChild(
          judged("a stream", Stream.runDrain(stream as Stream.Stream<unknown, { readonly _tag: string }>))
        )
    )
    yield* Effect.timeoutOption(Fiber.joinAll(workers), "10 minutes").pipe(
      Effect.flatMap(
        Option.match({
          onNone: () => Effect.fail(new InvariantViolation({ message: "a request never ended" })),
          onSome: () => Effect.void
        })
      )
    )

    corruption.isOn = false
    yield* awaitServed(zk)
    const { tree } = yield* Context.get(server, EmbeddedServer.EmbeddedServer).snapshot
    const read = yield* Effect.exit(zk.get("/truth"))
    const truth = tree.get("/truth")?.data
    if (
      Exit.isFailure(read) ||
      truth === undefined ||
      Buffer.compare(read.value.data, truth ?? new Uint8Array()) !== 0
    ) {
      return yield* new InvariantViolation({ message: "what is read when all is well again is not what is there" })
    }
    yield* Effect.forEach(streams, Fiber.interrupt)
    yield* Scope.close(scope, Exit.void)
    return { broken: corruption.broken }
  })
)

// ---- the client

const tags = new Set([
  ...["ConnectionLoss", "SessionExpired", "RequestTimeout", "ServerRefused", "FrameTooLarge", "ProtocolError"],
  ...["NoNode", "NoAuth", "BadVersion", "NodeExists", "NotEmpty", "NoChildrenForEphemerals", "InvalidACL"],
  ...["QuotaExceeded", "NoWatcher", "TransactionFailed", "NewConfigNoQuorum", "ReconfigInProgress"]
])

/** Any value is fine, and any error that the types name. */
const judged = <A, E extends { readonly _tag: string }>(
  name: string,
  effect: Effect.Effect<A, E>
): Effect.Effect<void, InvariantViolation> =>
  Effect.flatMap(Effect.exit(effect), (exit) => {
    if (Exit.isSuccess(exit)) return Effect.void
    const reason = exit.cause.reasons[0]
    if (reason?._tag === "Interrupt") return Effect.void
    return reason?._tag === "Fail" && tags.has(reason.error._tag)
      ? Effect.void
      : Effect.fail(new InvariantViolation({ message: `${name} ended with ${Cause.pretty(exit.cause)}` }))
  })

const work = Effect.fnUntraced(function* (zk: ZooKeeper.Service, worker: number) {
  const calls: ReadonlyArray<readonly [string, Effect.Effect<unknown, { readonly _tag: string }>]> = [
    ["create", zk.create(`/n${worker}`, { data: "x".repeat(300) })],
    ["create sequential", zk.create("/s-", { mode: "ephemeralSequential", protected: true })],
    ["createWithStat", zk.createWithStat(`/c${worker}`)],
    ["ensurePath", zk.ensurePath("/deep/er/est")],
    ["get", zk.get("/a")],
    ["exists", zk.stat(`/n${worker}`)],
    ["getChildren", zk.getChildrenWithStat("/")],
    ["getAcl", zk.getAcl("/a")],
    ["getEphemerals", zk.getEphemerals()],
    ["countDescendants", zk.countDescendants("/")],
    ["getConfig", zk.getConfig],
    ["whoAmI", zk.whoAmI],
    ["set", zk.set("/a", `by ${worker}`)],
    ["createOrSet", zk.createOrSet("/a", "first")],
    ["idempotent set", zk.setData("/a", "twice", { idempotent: true })],
    ["delete", zk.delete(`/n${worker}`)],
    ["sync", zk.sync("/a")],
    ["read", zk.read([Op.get("/a"), Op.getChildren("/")])],
    ["transaction", zk.transaction([Op.create(`/t${worker}`), Op.setData("/a", "t"), Op.delete(`/t${worker}`)])],
    [
      "getAndWatch",
      Effect.timeoutOption(
        Effect.flatMap(zk.getAndWatch("/a"), ({ changed }) => changed),
        "300 millis"
      )
    ]
  ]
  for (let i = 0; i < 15; i++) {
    const [name, call] = calls[yield* Random.nextIntBetween(0, calls.length - 1)]!
    yield* judged(name, call)
    yield* Effect.sleep(yield* Random.nextBetween(0, 150))
  }
})

/** Waits until requests succeed again; the session may have ended meanwhile, and another begun. */
const awaitServed = Effect.fnUntraced(function* (zk: ZooKeeper.Service) {
  for (let tries = 0; tries < 200; tries++) {
    const exit = yield* Effect.exit(zk.createOrSet("/truth", `${tries}`))
    if (Exit.isSuccess(exit)) return
    const reason = exit.cause.reasons[0]
    if (reason?._tag !== "Fail" || !tags.has(reason.error._tag)) {
      return yield* new InvariantViolation({ message: `when all is well again: ${Cause.pretty(exit.cause)}` })
    }
    yield* Effect.sleep("100 millis")
  }
  return yield* new InvariantViolation({ message: `it is ${zk.session.state._tag} long after all is well again` })
})

// ---- the server's bytes

interface Corruption {
  isOn: boolean
  readonly probability: number
  readonly choose: Choose
  broken: number
}

const corrupted = (inner: Transport["Service"], corruption: Corruption): Transport["Service"] =>
  LyingServer.rewriting(inner, () => {
    let last: Uint8Array = new Uint8Array(0)
    return (chunk) => {
      if (!corruption.isOn) return [chunk]
      const frames = framesOf(chunk).flatMap((frame) => {
        const made = corrupt(frame, last, corruption)
        last = frame
        return made
      })
      return corruption.choose(3) === 0 ? pieces(concat(...frames), corruption.choose) : frames
    }
  })

/** The frames that come instead of one; all are with their lengths. */
const corrupt = (frame: Uint8Array, last: Uint8Array, corruption: Corruption): ReadonlyArray<Uint8Array> => {
  const { choose, probability } = corruption
  if (choose(1000) >= probability * 1000) return [frame]
  corruption.broken++
  switch (choose(9)) {
    case 0:
      return []
    case 1:
      return [frame, frame]
    case 2:
      return [frame, last]
    case 3:
      return [frame, encode(notification(choose))]
    case 4:
      return [frame, noise(200, choose)]
    case 5: {
      const lie = frame.slice()
      new DataView(lie.buffer).setInt32(0, [-1, 0, 2 ** 31 - 1, 15, 16_385, 1_000_000][choose(6)]!)
      return [lie]
    }
    // A zxid from the future cannot be told from a true one, and no server could follow: the zxid stays what it is.
    case 6:
      return [frame.slice(0, Math.min(20, frame.length) + choose(Math.max(frame.length - 20, 1)))]
    default: {
      const body = mutate(frame.subarray(4), last.subarray(4), choose)
      if (body.length >= 12 && frame.length >= 16) body.set(frame.subarray(8, 16), 4)
      return [encode(body)]
    }
  }
}

const watcherEvent = Jute.codec(Records.WatcherEvent)
const replyHeader = Jute.codec(Records.ReplyHeader)

/** An event of a change that did not happen, at a path that may be invalid. */
const notification = (choose: Choose): Uint8Array => {
  const path = ["/a", "/", "/truth", "", "a", "/a//b", "/zookeeper/config"][choose(7)]!
  const event = Jute.encode(watcherEvent, { type: choose(7) - 1, state: choose(6) - 1, path })
  const header = Jute.encode(replyHeader, { xid: Operations.Xid.notification, zxid: -1n, err: choose(3) - 1 })
  return choose(3) === 0 ? concat(header, mutate(event, header, choose)) : concat(header, event)
}
