/** What becomes of requests: in order, lost, interrupted, held back, timed out, refused. */
import { assert, describe, it } from "@effect/vitest"
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { RequestPipeline } from "../../src/internal/requests/RequestPipeline.ts"
import { PendingRequest } from "../../src/internal/requests/PendingRequest.ts"
import * as Frames from "../support/frames.ts"
import type { ServerSide } from "../support/MemoryNetwork.ts"
import {
  samePath,
  awaitState,
  connect,
  create,
  exists,
  get,
  remove,
  set,
  type SessionService
} from "../support/session.ts"

const now = { startImmediately: true } as const

type Outcome = Fiber.Fiber<Result.Result<unknown, { readonly _tag: string }>>

/** Answers a read of `/n` with the text `n`. */
const answerRead = (server: ServerSide, request: Frames.Request) =>
  server.replyWith(request.xid, 1n, Operations.getData, {
    data: Frames.text(request.body.path.slice(1)),
    stat: Frames.stat
  })

const answerWrite = (server: ServerSide, request: Frames.Request) =>
  server.replyWith(request.xid, 1n, Operations.setData, { stat: Frames.stat })

const shape = (requests: ReadonlyArray<Frames.Request>) => requests.map(({ body, name }) => `${name} ${body.path}`)

/** Lets everything that can run do so. */
const settle = TestClock.adjust("1 millis")

const reconnect = Effect.fnUntraced(function* (
  network: { readonly accept: Effect.Effect<ServerSide> },
  session: SessionService
) {
  const next = yield* network.accept
  yield* next.greet()
  yield* awaitState(session, "Connected")
  yield* settle
  return next
})

const two = { servers: "a,b", sessionTimeout: "60 seconds" } as const

describe("replies", () => {
  it.effect("go to their callers in the order of the requests, which share one write", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      const reads = yield* Effect.forkChild(
        Effect.forEach([1, 2, 3, 4, 5], (n) => get(session, `/${n}`), { concurrency: "unbounded" })
      )
      yield* settle
      const requests = yield* server.requests
      assert.deepStrictEqual(
        requests.map(({ xid }) => xid),
        [1, 2, 3, 4, 5]
      )
      for (const request of requests) answerRead(server, request)
      assert.deepStrictEqual(yield* Fiber.join(reads), ["1", "2", "3", "4", "5"])
    })
  )

  it.effect("with a typed error fail with the error of the row, which names path and operation", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      const fails = Effect.fnUntraced(function* <E>(effect: Effect.Effect<unknown, E>, code: number) {
        const fiber = yield* Effect.forkChild(Effect.flip(effect))
        server.reply((yield* server.nextRequest).xid, 1n, code)
        return yield* Fiber.join(fiber)
      })
      const noNode = yield* fails(get(session, "/gone"), -101)
      assert.deepInclude({ ...noNode }, { _tag: "NoNode", path: "/gone", operation: "getData" })
      const badVersion = yield* fails(set(session, "/x", "y", 3), -103)
      assert.deepInclude({ ...badVersion }, { _tag: "BadVersion", path: "/x", operation: "setData" })
      const unknown = yield* fails(get(session, "/x"), -777)
      assert.deepInclude({ ...unknown }, { _tag: "ServerRefused", code: -777, path: "/x" })
      const notNamed = yield* fails(get(session, "/x"), -119)
      assert.deepInclude({ ...notNamed }, { _tag: "ServerRefused", code: -119, name: "NotReadOnly" })
      assert.strictEqual(session.info.state._tag, "Connected")
      assert.lengthOf(yield* server.requests, 0)
    })
  )

  it.effect("keep their callers when xids wrap", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...two, firstXid: 2_147_483_645 })
      const reads = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 100 }, (_, n) => `${n}`),
          (n) => get(session, `/${n}`),
          { concurrency: "unbounded" }
        )
      )
      yield* settle
      const requests = yield* server.requests
      assert.deepStrictEqual(
        requests.slice(0, 6).map(({ xid }) => xid),
        [2_147_483_645, 2_147_483_646, 2_147_483_647, 1, 2, 3]
      )
      for (const request of requests) answerRead(server, request)
      assert.deepStrictEqual(
        yield* Fiber.join(reads),
        Array.from({ length: 100 }, (_, n) => `${n}`)
      )
    })
  )

  for (const [name, forge] of [
    ["a wrong xid", (xid: number) => Frames.reply(xid + 1, 1n)],
    ["an unknown special xid", () => Frames.reply(-77, 1n)],
    ["too short a header", (xid: number) => Frames.reply(xid, 1n).slice(0, 15)],
    ["no bytes at all", () => new Uint8Array(0)],
    ["an answer to credentials that were not sent", () => Frames.reply(Operations.Xid.auth, 0n)],
    ["a malformed event", () => Frames.reply(Operations.Xid.notification, -1n, 0, new Uint8Array(3))]
  ] as const) {
    it.effect(`of ${name} end the connection; reads are sent again, writes fail`, () =>
      Effect.gen(function* () {
        const { network, server, session } = yield* connect(two)
        const read = yield* Effect.forkChild(get(session, "/1"), now)
        const write = yield* Effect.forkChild(Effect.flip(set(session, "/2", "x")), now)
        const { xid } = yield* server.nextRequest
        server.send(forge(xid))
        const error = yield* Fiber.join(write)
        assert.deepInclude({ ...error }, { _tag: "ConnectionLoss", maybeApplied: true })
        const next = yield* reconnect(network, session)
        const requests = yield* next.requests
        assert.deepStrictEqual(shape(requests), ["getData /1"])
        answerRead(next, requests[0]!)
        assert.strictEqual(yield* Fiber.join(read), "1")
        assert.lengthOf(network.dialled, 2)
      })
    )
  }

  it.effect("without a request end the connection", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      server.reply(1, 1n)
      yield* settle
      assert.isTrue(server.isLeft)
      // The connection had proved nothing yet: the next attempt waits for its turn if it is the same server.
      yield* TestClock.adjust("1 second")
      yield* reconnect(network, session)
      assert.strictEqual(session.info.id, 0x100n)
    })
  )

  it.effect("whose body is malformed fail their caller with ProtocolError and end the connection", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
      const { xid } = yield* server.nextRequest
      server.send(Frames.reply(xid, 1n, 0, Uint8Array.of(0, 0, 0, 99, 1)))
      const error = yield* Fiber.join(read)
      assert.strictEqual(error._tag, "ProtocolError")
      yield* reconnect(network, session)
      assert.isTrue(server.isLeft)
    })
  )

  it.effect("above maxFrameSize fail their caller with FrameTooLarge and end the connection", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...two, maxFrameSize: 2000 })
      const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
      const second = yield* Effect.forkChild(get(session, "/2"), now)
      const { xid } = yield* server.nextRequest
      server.send(Frames.reply(xid, 1n, 0, new Uint8Array(2001)))
      assert.deepInclude({ ...(yield* Fiber.join(read)) }, { _tag: "FrameTooLarge", size: 2017, limit: 2000 })
      const next = yield* reconnect(network, session)
      answerRead(next, yield* next.nextRequest)
      assert.strictEqual(yield* Fiber.join(second), "2")
    })
  )

  it.effect("that announce a negative length are a lost connection", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      const read = yield* Effect.forkChild(get(session, "/1"), now)
      const write = yield* Effect.forkChild(Effect.flip(set(session, "/2", "x")), now)
      yield* server.nextRequest
      server.sendRaw(Uint8Array.of(0xff, 0xff, 0xff, 0xf0))
      assert.deepInclude({ ...(yield* Fiber.join(write)) }, { _tag: "ConnectionLoss", maybeApplied: true })
      const next = yield* reconnect(network, session)
      answerRead(next, yield* next.nextRequest)
      assert.strictEqual(yield* Fiber.join(read), "1")
    })
  )

  it.effect("notify of unknown event types without harm", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      server.send(Frames.notification(99, "/x"))
      server.send(Frames.notification(-1, ""))
      const read = yield* Effect.forkChild(get(session, "/1"), now)
      answerRead(server, yield* server.nextRequest)
      assert.strictEqual(yield* Fiber.join(read), "1")
    })
  )
})

describe("a request too large for servers", () => {
  it.effect("is refused before a byte is sent, and the next one goes", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      const error = yield* Effect.flip(create(session, "/big", "x".repeat(1_048_576)))
      assert.strictEqual(error._tag, "FrameTooLarge")
      const read = yield* Effect.forkChild(get(session, "/1"), now)
      const request = yield* server.nextRequest
      assert.strictEqual(request.name, "getData")
      answerRead(server, request)
      assert.strictEqual(yield* Fiber.join(read), "1")
    })
  )
})

describe("a lost connection", () => {
  it.effect("fails the writes that had left, and keeps all other requests in their order", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      const left: Array<Outcome> = [
        yield* Effect.forkChild(Effect.result(get(session, "/1")), now),
        yield* Effect.forkChild(Effect.result(set(session, "/2", "x")), now),
        yield* Effect.forkChild(Effect.result(get(session, "/3")), now)
      ]
      yield* settle
      // Encoded, but never handed over: the network is cut within the turn.
      const kept: Array<Outcome> = [
        yield* Effect.forkChild(Effect.result(set(session, "/4", "x")), now),
        yield* Effect.forkChild(Effect.result(get(session, "/5")), now)
      ]
      server.cut()
      yield* settle
      const write = yield* Fiber.join(left[1]!)
      assert.isTrue(Result.isFailure(write) && write.failure._tag === "ConnectionLoss")
      // Asked while there is no connection.
      kept.push(yield* Effect.forkChild(Effect.result(remove(session, "/6")), now))
      kept.push(yield* Effect.forkChild(Effect.result(get(session, "/7")), now))
      const next = yield* reconnect(network, session)
      const requests = yield* next.requests
      assert.deepStrictEqual(shape(requests), [
        "getData /1",
        "getData /3",
        "setData /4",
        "getData /5",
        "delete /6",
        "getData /7"
      ])
      for (const request of requests) {
        if (request.name === "getData") answerRead(next, request)
        else if (request.name === "setData") answerWrite(next, request)
        else next.reply(request.xid, 2n)
      }
      for (const fiber of [left[0]!, left[2]!, ...kept]) assert.strictEqual((yield* Fiber.join(fiber))._tag, "Success")
    })
  )

  it.effect("changes nothing in what was encoded and had not left, whatever the caller does with its buffer", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      yield* settle
      const bytes = Frames.text("first")
      // The first of them ends before the loss: the others keep their own bytes.
      const gone = yield* Effect.forkChild(set(session, "/0", "gone"), now)
      const ops = [{ operation: "setData", request: { path: "/2", data: bytes, version: -1 } } as const]
      const writes = [
        yield* Effect.forkChild(set(session, "/1", bytes), now),
        yield* Effect.forkChild(session.request(Operations.multi, ops, ""), now)
      ]
      yield* Fiber.interrupt(gone)
      server.cut()
      bytes.fill(0)
      yield* settle
      const requests = yield* (yield* reconnect(network, session)).requests
      assert.deepStrictEqual(
        requests.map(({ body, name }) => [name, body]),
        [
          ["setData", { path: "/1", data: Frames.text("first"), version: -1 }],
          ["multi", [{ operation: "setData", request: { path: "/2", data: Frames.text("first"), version: -1 } }]]
        ]
      )
      yield* Fiber.interruptAll(writes)
    })
  )

  it.effect("that ends in an expiry fails all waiting requests with SessionExpired", () =>
    Effect.gen(function* () {
      for (const sessionExpiry of ["recreate", "fail"] as const) {
        const { network, server, session } = yield* connect({ ...two, sessionExpiry })
        const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
        yield* settle
        server.cut()
        const next = yield* network.accept
        const write = yield* Effect.forkChild(Effect.flip(set(session, "/2", "x")), now)
        yield* next.greet({ sessionId: 0n, timeOut: 0 })
        assert.strictEqual((yield* Fiber.join(read))._tag, "SessionExpired")
        assert.strictEqual((yield* Fiber.join(write))._tag, "SessionExpired")
      }
    })
  )
})

describe("interruption", () => {
  it.effect("of requests that wait, are encoded, or are with the server leaves the order of replies right", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...two, maxInFlight: 4 })
      const fibers = yield* Effect.forEach([1, 2, 3], (n) => Effect.forkChild(get(session, `/${n}`), now))
      yield* settle
      const fourth = yield* Effect.forkChild(get(session, "/4"), now)
      const waiting = yield* Effect.forEach([5, 6], (n) => Effect.forkChild(get(session, `/${n}`), now))
      // One with the server, one encoded, one that waits for its turn.
      yield* Fiber.interrupt(fibers[1]!)
      yield* Fiber.interrupt(fourth)
      yield* Fiber.interrupt(waiting[0]!)
      yield* settle
      const first = yield* server.requests
      assert.deepStrictEqual(shape(first), ["getData /1", "getData /2", "getData /3", "getData /4"])
      for (const request of first) answerRead(server, request)
      assert.strictEqual(yield* Fiber.join(fibers[0]!), "1")
      assert.strictEqual(yield* Fiber.join(fibers[2]!), "3")
      const rest = yield* server.nextRequest
      assert.strictEqual(rest.body.path, "/6")
      answerRead(server, rest)
      assert.strictEqual(yield* Fiber.join(waiting[1]!), "6")
    })
  )

  it.effect("of 1,000 requests at once, a hundred times, leaves the others their replies", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      for (let round = 0; round < 100; round++) {
        const survivor = yield* Effect.forkChild(get(session, `/first-${round}`), now)
        const doomed = yield* Effect.forEach(Array.from({ length: 1000 }), (_, n) =>
          Effect.forkChild(get(session, `/${n}`), now)
        )
        const last = yield* Effect.forkChild(get(session, `/last-${round}`), now)
        if (round % 2 === 0) yield* settle
        yield* Fiber.interruptAll(doomed)
        yield* settle
        let left = 2
        while (left > 0) {
          for (const request of yield* server.requests) {
            if (request.body.path.startsWith("/first") || request.body.path.startsWith("/last")) left--
            answerRead(server, request)
          }
          yield* settle
        }
        assert.strictEqual(yield* Fiber.join(survivor), `first-${round}`)
        assert.strictEqual(yield* Fiber.join(last), `last-${round}`)
      }
      assert.strictEqual(session.info.state._tag, "Connected")
    })
  )

  it.effect("of requests without a connection takes them out of the way", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      server.cut()
      const doomed = yield* Effect.forkChild(set(session, "/1", "x"), now)
      const kept = yield* Effect.forkChild(get(session, "/2"), now)
      yield* Fiber.interrupt(doomed)
      const next = yield* reconnect(network, session)
      const requests = yield* next.requests
      assert.deepStrictEqual(shape(requests), ["getData /2"])
      answerRead(next, requests[0]!)
      assert.strictEqual(yield* Fiber.join(kept), "2")
    })
  )
})

describe("requests that are begun beneath Effect", () => {
  /** As the client asks: what is sent at once has nothing that gives it up. */
  const begun = (session: SessionService, path: string) =>
    Effect.callback<string, unknown>((resume) => {
      const giveUp = session.requestUnsafe(
        Operations.getData,
        { path, watch: false },
        path,
        ({ data }) => new TextDecoder().decode(data ?? undefined),
        resume,
        Fiber.getCurrent()
      )
      return giveUp === undefined ? undefined : Effect.sync(giveUp)
    })

  it.effect("give the converted response, or the failure", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      const reads = yield* Effect.forEach([1, 2], (n) => Effect.forkChild(Effect.result(begun(session, `/${n}`)), now))
      yield* settle
      const [first, second] = yield* server.requests
      answerRead(server, first!)
      server.reply(second!.xid, 1n, -101)
      assert.deepStrictEqual(yield* Fiber.join(reads[0]!), Result.succeed("1"))
      const refused = yield* Fiber.join(reads[1]!)
      assert.strictEqual(Result.isFailure(refused) && (refused.failure as { readonly _tag: string })._tag, "NoNode")
    })
  )

  it.effect("are not sent again on the next connection for fibers that have ended, sent or not", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      const gone = yield* Effect.forkChild(begun(session, "/gone"), now)
      const stays = yield* Effect.forkChild(begun(session, "/stays"), now)
      yield* settle
      assert.deepStrictEqual(shape(yield* server.requests), ["getData /gone", "getData /stays"])
      yield* Fiber.interrupt(gone)
      server.cut()
      yield* settle
      const waits = yield* Effect.forkChild(begun(session, "/waits"), now)
      yield* Fiber.interrupt(waits)
      const next = yield* reconnect(network, session)
      const requests = yield* next.requests
      assert.deepStrictEqual(shape(requests), ["getData /stays"])
      answerRead(next, requests[0]!)
      assert.strictEqual(yield* Fiber.join(stays), "stays")
    })
  )

  it.effect("end by a defect where the response cannot be converted, and disturb no other request", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      const broken = Effect.callback<never, unknown>((resume) => {
        const into = () => {
          throw new Error("not this")
        }
        session.requestUnsafe(Operations.getData, { path: "/1", watch: false }, "/1", into, resume)
      })
      const first = yield* Effect.forkChild(Effect.exit(broken), now)
      const second = yield* Effect.forkChild(get(session, "/2"), now)
      yield* settle
      for (const request of yield* server.requests) answerRead(server, request)
      assert.isTrue(Exit.hasDies(yield* Fiber.join(first)))
      assert.strictEqual(yield* Fiber.join(second), "2")
    })
  )
})

it("a request that was encoded for several connections and sent on none has the bytes of the call", () => {
  const exchange = new RequestPipeline({ maxInFlight: 10, maxRequestSize: 1_048_575 }, 1, (run) => run())
  const data = Frames.text("first")
  const ask = (path: string) => {
    const request = { path, data, version: -1 }
    exchange.send(new PendingRequest(Operations.setData, request, path, "fail", 0, () => {}))
  }
  const open = () => {
    const writer = new JuteWriter()
    exchange.open({ writer, schedule: () => 0 })
    exchange.pump()
    return writer
  }
  open()
  ask("/1")
  data.fill(0)
  exchange.disconnect()
  open()
  ask("/2")
  data.fill(1)
  exchange.disconnect()
  const frames: Array<unknown> = []
  new FrameSplitter(1_048_575).push(open().take(), (bytes, start, end) => {
    const { body, xid } = Frames.decodeRequest(bytes.subarray(start, end))
    frames.push([xid, body.path, body.data])
  })
  assert.deepStrictEqual(frames, [
    [4, "/1", Frames.text("first")],
    [5, "/2", new Uint8Array(5)]
  ])
})

it("an outage does not gather requests whose callers have gone", () => {
  const exchange = new RequestPipeline({ maxInFlight: 10, maxRequestSize: 1_048_575 }, 1, (run) => run())
  let ended = 0
  const handler = { onReply: () => Exit.void, onEnd: () => void ended++ }
  const ask = () => {
    const body = { path: "/x", watch: false }
    const request = new PendingRequest(Operations.getData, body, "/x", "wait", 0, () => {}, handler)
    exchange.send(request)
    return request
  }
  const kept = ask()
  for (let i = 0; i < 10_000; i++) exchange.abandon(ask())
  ask()
  assert.isAtMost(exchange.waitingCount, 1100)
  assert.strictEqual(ended + exchange.waitingCount, 10_002)
  assert.isDefined(kept.resume)
})

describe("back-pressure", () => {
  it.effect("lets no more than maxInFlight be with the server", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...two, maxInFlight: 3 })
      const reads = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 10 }), (_, n) => get(session, `/${n}`), { concurrency: "unbounded" }),
        now
      )
      let answered = 0
      while (answered < 10) {
        yield* settle
        const requests = yield* server.requests
        assert.isAtMost(requests.length, 3)
        assert.isAtLeast(requests.length, 1)
        for (const request of requests) {
          answerRead(server, request)
          answered++
        }
      }
      assert.lengthOf(yield* Fiber.join(reads), 10)
    })
  )

  it.effect("keeps unsent bytes below a few MiB, however many requests there are", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      server.clog()
      const payload = new Uint8Array(1_000_000)
      const writes = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 50 }), () => set(session, "/x", payload), { concurrency: "unbounded" }),
        now
      )
      yield* settle
      const sent = () => server.received.reduce((sum, frame) => sum + frame.length, 0)
      // One batch is with the network; the next, at most as large, waits for it.
      assert.isAtMost(sent(), 6_000_000)
      server.flow()
      let answered = 0
      while (answered < 50) {
        yield* settle
        for (const request of yield* server.requests) {
          answerWrite(server, request)
          answered++
        }
      }
      assert.lengthOf(yield* Fiber.join(writes), 50)
    })
  )
})

describe("requestTimeout", () => {
  it.effect("ends a slow request, says whether it may have been applied, and keeps its place", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...two, requestTimeout: "5 seconds", maxInFlight: 2 })
      const write = yield* Effect.forkChild(Effect.flip(set(session, "/1", "x")), now)
      const read = yield* Effect.forkChild(Effect.flip(get(session, "/2")), now)
      const waiting = yield* Effect.forkChild(Effect.flip(set(session, "/3", "x")), now)
      yield* TestClock.adjust("2 seconds")
      const later = yield* Effect.forkChild(get(session, "/4"), now)
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(write.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepInclude({ ...(yield* Fiber.join(write)) }, { _tag: "RequestTimeout", maybeApplied: true, path: "/1" })
      assert.deepInclude({ ...(yield* Fiber.join(read)) }, { _tag: "RequestTimeout", maybeApplied: false })
      assert.deepInclude({ ...(yield* Fiber.join(waiting)) }, { _tag: "RequestTimeout", maybeApplied: false })
      // The late replies are dropped, and the next one goes to its own request.
      const requests = yield* server.requests
      assert.deepStrictEqual(shape(requests), ["setData /1", "getData /2"])
      answerWrite(server, requests[0]!)
      answerRead(server, requests[1]!)
      answerRead(server, yield* server.nextRequest)
      assert.strictEqual(yield* Fiber.join(later), "4")
      assert.strictEqual(session.info.state._tag, "Connected")
    })
  )

  it.effect("does not say of a request that waits in the socket that it was not applied: it will be sent", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect({ ...two, requestTimeout: "5 seconds" })
      server.clog()
      const first = yield* Effect.forkChild(Effect.flip(set(session, "/1", "x")), now)
      yield* settle
      const second = yield* Effect.forkChild(Effect.flip(set(session, "/2", "x")), now)
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude({ ...(yield* Fiber.join(first)) }, { _tag: "RequestTimeout", maybeApplied: true })
      assert.deepInclude({ ...(yield* Fiber.join(second)) }, { _tag: "RequestTimeout", maybeApplied: true })
      server.flow()
      yield* settle
      assert.deepStrictEqual(shape(yield* server.requests).slice(0, 2), ["setData /1", "setData /2"])
    })
  )

  it.effect("counts the time without a connection", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect({ ...two, requestTimeout: "5 seconds" })
      network.set("a:2181", "hang")
      network.set("b:2181", "hang")
      server.cut()
      yield* TestClock.adjust("7 seconds")
      const write = yield* Effect.forkChild(Effect.flip(set(session, "/1", "x")), now)
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude({ ...(yield* Fiber.join(write)) }, { _tag: "RequestTimeout", maybeApplied: false })
    })
  )
})

describe("an operation that the server does not know", () => {
  it.effect("is refused, remembered for that server, and not sent there again", () =>
    Effect.gen(function* () {
      const { network, server, session } = yield* connect(two)
      const whoAmI = session.request(Operations.whoAmI, undefined, "")
      const first = yield* Effect.forkChild(Effect.flip(whoAmI), now)
      server.reply((yield* server.nextRequest).xid, -1n, -6)
      assert.deepInclude({ ...(yield* Fiber.join(first)) }, { _tag: "ServerRefused", code: -6, name: "Unimplemented" })
      assert.isFalse(session.info.serverFeatures.supports("whoAmI"))
      assert.deepInclude({ ...(yield* Effect.flip(whoAmI)) }, { _tag: "ServerRefused", code: -6 })
      yield* settle
      assert.lengthOf(yield* server.requests, 0)
      server.cut()
      const next = yield* reconnect(network, session)
      assert.isTrue(session.info.serverFeatures.supports("whoAmI"))
      const again = yield* Effect.forkChild(whoAmI, now)
      next.replyWith((yield* next.nextRequest).xid, 1n, Operations.whoAmI, { clientInfo: [] })
      yield* Fiber.join(again)
    })
  )

  it.effect("is not taken for one when the refusal belongs to a transaction", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      const read = yield* Effect.forkChild(Effect.flip(exists(session, "/x")), now)
      server.reply((yield* server.nextRequest).xid, 5n, -6)
      yield* Fiber.join(read)
      assert.isTrue(session.info.serverFeatures.supports("exists"))
    })
  )
})

describe("a watch", () => {
  it.effect("has any number of waiting callers, and gets events behind its reply in the same packet", () =>
    Effect.gen(function* () {
      const { server, session } = yield* connect(two)
      const watched = yield* Effect.forkChild(
        Effect.flatMap(session.watchData(samePath("/1")), ({ changed }) =>
          Effect.all([changed, changed], { concurrency: 2 })
        ),
        now
      )
      const request = yield* server.nextRequest
      assert.isTrue(request.body.watch)
      const reply = Frames.framed(
        Frames.replyWith(request.xid, 1n, Operations.getData, { data: null, stat: Frames.stat })
      )
      const event = Frames.framed(Frames.notification(Frames.event.data, "/1"))
      server.sendRaw(Uint8Array.of(...reply, ...event))
      const events = yield* Fiber.join(watched)
      assert.deepStrictEqual(
        events.map(({ path, type }) => [type, path]),
        [
          ["NodeDataChanged", "/1"],
          ["NodeDataChanged", "/1"]
        ]
      )
    })
  )
})
