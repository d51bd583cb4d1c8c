/** A session that is there before its first connection. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { SessionOptions } from "../../src/Session.ts"
import { answerExists } from "../support/answers.ts"
import type { MemoryNetwork } from "../support/MemoryNetwork.ts"
import { awaitState, digest, exists, itOnNetwork, passTimeAtEnd, startSession, statesOf } from "../support/session.ts"
import { now, pass } from "../support/time.ts"

/** The session is made while no time passes. */
const begin = Effect.fnUntraced(function* (network: MemoryNetwork, options: SessionOptions = {}) {
  const fiber = yield* startSession(network, { ...options, firstConnection: "background" })
  const session = yield* Fiber.join(fiber)
  yield* passTimeAtEnd(network)
  return session
})

describe("a session that makes its first connection in the background", () => {
  itOnNetwork("is there at once, and serves what waited when a server comes", function* (network) {
    network.set("a:2181", "refuse")
    const session = yield* begin(network, { connectTimeout: "1 second" })
    const states = yield* statesOf(session)
    assert.deepStrictEqual(session.info.state, { _tag: "Connecting" })
    assert.strictEqual(session.info.id, 0n)
    const asking = yield* Effect.forkChild(exists(session, "/x"), now)
    yield* TestClock.adjust("1 hour")
    assert.isUndefined(asking.pollUnsafe())
    network.set("a:2181", "accept")
    while (network.waiting === 0) yield* TestClock.adjust("100 millis")
    const server = yield* network.welcome()
    answerExists(server, (yield* server.nextRequest).xid)
    yield* Fiber.join(asking)
    assert.deepStrictEqual(states, ["Connecting", "Connected"])
    assert.notStrictEqual(session.info.id, 0n)
  })

  itOnNetwork("fails requests with `requestTimeout`, as in an outage", function* (network) {
    network.set("a:2181", "refuse")
    const session = yield* begin(network, { requestTimeout: "5 seconds" })
    const asking = yield* Effect.forkChild(failure(exists(session, "/x"), "RequestTimeout"), now)
    yield* pass(6000)
    assert.isFalse((yield* Fiber.join(asking)).maybeApplied)
  })

  itOnNetwork("tells of refused credentials by its state and its requests", function* (network) {
    const session = yield* begin(network, { auth: [digest("ann:wrong")] })
    const asking = yield* Effect.forkChild(failure(exists(session, "/x"), "AuthFailed"), now)
    const server = yield* network.welcome()
    yield* server.nextRequest
    server.reply(Operations.Xid.auth, 0n, -115)
    yield* awaitState(session, "AuthFailed")
    yield* Fiber.join(asking)
    yield* failure(exists(session, "/x"), "AuthFailed")
  })

  itOnNetwork("refuses options that break a rule at once", function* (network) {
    const mistakes: ReadonlyArray<SessionOptions> = [
      { servers: "a:port" },
      { sessionTimeout: -1 },
      { firstConnection: "later" as never }
    ]
    for (const mistake of mistakes) {
      const fiber = yield* startSession(network, { firstConnection: "background", ...mistake })
      yield* failure(Fiber.join(fiber), "InvalidArgument")
    }
    assert.lengthOf(network.dialled, 0)
  })
})
