/** Each end of a write says whether it may have been applied; and which callers learn of a frame that is too large. */
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Frames from "../support/frames.ts"
import {
  samePath,
  connect,
  create,
  get,
  set,
  addAuth,
  digest,
  answered,
  reconnect,
  two,
  itConnected
} from "../support/session.ts"
import { now } from "../support/time.ts"
import { answerRead, answerWrite } from "../support/answers.ts"

describe("a write that was sent may have been applied", () => {
  itEffect("when its reply is larger than maxFrameSize, and says so", function* () {
    const { server, session } = yield* connect({ ...two, maxFrameSize: 2000 })
    const write = yield* Effect.forkChild(Effect.flip(set(session, "/x", "y")), now)
    const { xid } = yield* server.nextRequest
    server.send(Frames.reply(xid, 1n, 0, new Uint8Array(3000)))
    const error = yield* Fiber.join(write)
    assert.deepInclude({ ...error }, { _tag: "FrameTooLarge", option: "maxFrameSize", maybeApplied: true })
    assert.include(error.message, "may have been applied")
    assert.include(error.message, "maxFrameSize")
  })

  itConnected("when its reply cannot be understood", function* ({ server, session }) {
    const write = yield* Effect.forkChild(Effect.flip(set(session, "/x", "y")), now)
    server.send(Frames.reply((yield* server.nextRequest).xid, 1n, 0, new Uint8Array(3)))
    assert.deepInclude({ ...(yield* Fiber.join(write)) }, { _tag: "ProtocolError", maybeApplied: true })
  })

  itEffect("when credentials are refused beside it", function* () {
    const { server, session } = yield* connect(two)
    yield* addAuth(session, server, digest("a:b"))
    const write = yield* Effect.forkChild(Effect.flip(set(session, "/x", "y")), now)
    yield* server.nextRequest
    yield* Effect.forkChild(Effect.ignore(session.addAuth(digest("c:d"))), now)
    yield* server.nextRequest
    server.reply(Operations.Xid.auth, 0n, -115)
    assert.deepInclude({ ...(yield* Fiber.join(write)) }, { _tag: "AuthFailed", scheme: "digest", maybeApplied: true })
  })

  itEffect("when its session is left before the reply; a read, and a write that was not sent, were not", function* () {
    const { server, session } = yield* connect({ ...two, maxInFlight: 2 })
    const fibers: ReadonlyArray<
      Fiber.Fiber<Error & { readonly _tag: string; readonly maybeApplied?: boolean }, unknown>
    > = [
      yield* Effect.forkChild(Effect.flip(set(session, "/sent", "y")), now),
      yield* Effect.forkChild(Effect.flip(get(session, "/read")), now),
      yield* Effect.forkChild(Effect.flip(set(session, "/waiting", "y")), now)
    ]
    yield* server.nextRequest
    yield* session.info.detach
    const errors = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
    assertEach(errors, ({ _tag, maybeApplied }) => [_tag, maybeApplied], [
      ["SessionClosed", true],
      ["SessionClosed", false],
      ["SessionClosed", false]
    ])
    assert.include(errors[0]?.message, "may have been applied")
  })

  itConnected("when the server fails within; not when it refuses", function* ({ server, session }) {
    const refused = Effect.fnUntraced(function* (
      effect: Effect.Effect<
        unknown,
        { readonly _tag: string; readonly code?: number; readonly maybeApplied?: boolean }
      >,
      code: number
    ) {
      return { ...(yield* answered(server, Effect.flip(effect), (xid) => server.reply(xid, 1n, code))) }
    })
    // A system error, one of marshalling, and a code that no release has named.
    for (const code of [-1, -5, -777]) {
      const told = yield* refused(set(session, "/x", "y"), code)
      assert.deepInclude(told, { _tag: "ServerRefused", code, maybeApplied: true })
    }
    // Unimplemented, NotReadOnly, ThrottledOp: the server's word settles it, and nothing is said beside it.
    for (const code of [-6, -119, -127]) {
      const told = yield* refused(set(session, "/x", "y"), code)
      assert.deepInclude(told, { _tag: "ServerRefused", code })
      assert.notProperty(told, "maybeApplied")
    }
    const read = yield* refused(get(session, "/x"), -1)
    assert.strictEqual(read._tag, "ServerRefused")
    assert.notProperty(read, "maybeApplied")
  })
})

describe("a frame that is too large", () => {
  itEffect("is handed on all the same when it is an event at a long path", function* () {
    const { server, session } = yield* connect({ ...two, maxFrameSize: 1024 })
    const path = `/${"n".repeat(1500)}`
    const { changed } = yield* answered(server, session.watchExists(samePath(path)), (xid) =>
      server.reply(xid, 1n, -101)
    )
    const write = yield* Effect.forkChild(set(session, "/x", "y"), now)
    const { xid } = yield* server.nextRequest
    const event = Frames.notification(1, path)
    // In pieces: what it is shows only with its fifth to eighth byte.
    const length = new Uint8Array(4)
    new DataView(length.buffer).setInt32(0, event.length)
    server.sendRaw(length)
    yield* TestClock.adjust("1 millis")
    server.sendRaw(event.slice(0, 2))
    yield* TestClock.adjust("1 millis")
    server.sendRaw(event.slice(2))
    answerWrite(server, xid)
    yield* Fiber.join(write)
    assert.strictEqual((yield* changed).path, path)
    assert.isFalse(server.isLeft)
  })

  itEffect(
    "is not blamed on the oldest request when it is an event larger than any request, or a heartbeat",
    function* () {
      for (const xid of [Operations.Xid.notification, Operations.Xid.ping]) {
        const { network, server, session } = yield* connect({ ...two, maxFrameSize: 1024 })
        const read = yield* Effect.forkChild(get(session, "/x"), now)
        const write = yield* Effect.forkChild(Effect.flip(set(session, "/x", "y")), now)
        yield* server.nextRequest
        server.sendRaw(Uint8Array.of(0x7f, 0, 0, 0, 0xff, 0xff, 0xff, xid & 0xff))
        assert.deepInclude({ ...(yield* Fiber.join(write)) }, { _tag: "ConnectionLoss", maybeApplied: true })
        const next = yield* reconnect(network, session)
        answerRead(next, yield* next.nextRequest)
        assert.strictEqual(yield* Fiber.join(read), "x")
      }
    }
  )
})

describe("maxRequestSize", () => {
  itEffect("refuses a larger request before it is sent, naming the option and the servers' property", function* () {
    const { server, session } = yield* connect({ ...two, maxRequestSize: 2000 })
    const error = yield* Effect.flip(create(session, "/big", "x".repeat(2000)))
    assert.deepInclude(
      { ...error },
      { _tag: "FrameTooLarge", limit: 2000, option: "maxRequestSize", maybeApplied: false }
    )
    assert.include(error.message, "maxRequestSize")
    assert.include(error.message, "jute.maxbuffer")
    assert.lengthOf(yield* server.requests, 0)
  })

  itEffect("lets larger ones pass than servers take by default", function* () {
    const { server, session } = yield* connect({ ...two, maxRequestSize: 4_000_000 })
    yield* answered(server, set(session, "/x", new Uint8Array(3_000_000)), (xid) => answerWrite(server, xid))
  })
})
