/** What becomes of requests when their connection is lost: failed, kept in order, with the bytes of the call. */
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { RequestPipeline } from "../../src/internal/requests/RequestPipeline.ts"
import { PendingRequest } from "../../src/internal/requests/PendingRequest.ts"
import { answerRead, answerWrite } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import { connect, get, remove, set, reconnect, two, itConnected } from "../support/session.ts"
import { now, settle } from "../support/time.ts"

interface Failure {
  readonly _tag: string
  readonly maybeApplied?: boolean
  readonly losses?: number
}

type Outcome = Fiber.Fiber<Result.Result<unknown, Failure>>

describe("a lost connection", () => {
  itEffect("fails the writes that had left, and keeps all other requests in their order", function* () {
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
    assert(Result.isFailure(write))
    assert.deepInclude({ ...write.failure }, { _tag: "ConnectionLoss", maybeApplied: true, losses: 1 })
    // Asked while there is no connection.
    kept.push(yield* Effect.forkChild(Effect.result(remove(session, "/6")), now))
    kept.push(yield* Effect.forkChild(Effect.result(get(session, "/7")), now))
    const next = yield* reconnect(network, session)
    const requests = yield* next.requests
    assert.deepStrictEqual(Frames.shape(requests), [
      "getData /1",
      "getData /3",
      "setData /4",
      "getData /5",
      "delete /6",
      "getData /7"
    ])
    for (const request of requests) {
      if (request.name === "getData") answerRead(next, request)
      else if (request.name === "setData") answerWrite(next, request.xid)
      else next.reply(request.xid, 2n)
    }
    for (const fiber of [left[0]!, left[2]!, ...kept]) assert.strictEqual((yield* Fiber.join(fiber))._tag, "Success")
  })

  itConnected(
    "changes nothing in what was encoded and had not left, whatever the caller does with its buffer",
    function* ({ network, server, session }) {
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
      assertEach(requests, ({ body, name }) => [name, body], [
        ["setData", { path: "/1", data: Frames.text("first"), version: -1 }],
        ["multi", [{ operation: "setData", request: { path: "/2", data: Frames.text("first"), version: -1 } }]]
      ])
      yield* Fiber.interruptAll(writes)
    }
  )

  itEffect("that ends in an expiry fails all waiting requests with SessionExpired", function* () {
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
      if (sessionExpiry === "fail") continue
      const renewed = yield* reconnect(network, session)
      assert.lengthOf(yield* renewed.requests, 0)
    }
  })
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
