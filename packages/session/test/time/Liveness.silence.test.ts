/** When a connection is given up and when a session is: heartbeats, silence, expiry, and the last zxid that is kept. */
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Frames from "../support/frames.ts"
import { nine, pong, owning } from "../support/nineSeconds.ts"
import { samePath, awaitState, connect, exists, answered, reconnect, statesOf, digest } from "../support/session.ts"
import { now, settle } from "../support/time.ts"
import { answerExists } from "../support/answers.ts"

const itConnected = testWith(it.effect, connect(nine))
const itConnectedToTwo = testWith(it.effect, connect({ ...nine, servers: "a,b" }))

describe("heartbeats", () => {
  itConnected("are sent when nothing was written for a third of the timeout", function* ({ server, session }) {
    yield* TestClock.adjust("2999 millis")
    assert.lengthOf(yield* server.requests, 0)
    yield* TestClock.adjust("1 millis")
    assertEach(yield* server.requests, ({ name, xid }) => [name, xid], [["ping", -2]])
    pong(server)
    yield* TestClock.adjust("2 seconds")
    yield* answered(server, exists(session, "/x"), (xid) => answerExists(server, xid))
    // Three seconds after the request, not after the ping.
    yield* TestClock.adjust("2999 millis")
    assert.lengthOf(yield* server.requests, 0)
    yield* TestClock.adjust("1 millis")
    assert.lengthOf(yield* server.requests, 1)
  })

  itConnected("go out one at a time, whatever requests wait for their replies", function* ({ server, session }) {
    for (let i = 0; i < 3; i++) {
      yield* Effect.forkChild(Effect.ignore(exists(session, `/${i}`)), now)
      yield* settle
    }
    yield* server.requests
    yield* TestClock.adjust("3 seconds")
    assertEach(yield* server.requests, ({ name }) => name, ["ping"])
  })

  itEffect("keep a session that asks for nothing for as long as they are answered", function* () {
    const { network, server, session } = yield* connect(nine)
    for (let i = 0; i < 100; i++) {
      yield* TestClock.adjust("3 seconds")
      const requests = yield* server.requests
      assert.lengthOf(requests, 1)
      pong(server)
    }
    assert.strictEqual(session.info.state._tag, "Connected")
    assert.lengthOf(network.dialled, 1)
  })

  itEffect("go on at their pace while one is not answered, and any byte counts as a sign of life", function* () {
    const { server, session } = yield* connect(nine)
    for (let i = 0; i < 5; i++) {
      yield* TestClock.adjust("3 seconds")
      assert.lengthOf(yield* server.requests, 1)
      server.send(Frames.notification(Frames.event.data, "/nobody"))
    }
    assert.strictEqual(session.info.state._tag, "Connected")
    for (let i = 0; i < 5; i++) pong(server)
    yield* TestClock.adjust("1 millis")
    assert.strictEqual(session.info.state._tag, "Connected")
  })

  itEffect("that are answered without having been sent end the connection, and only that", function* () {
    const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
    pong(server)
    yield* reconnect(network, session)
    assert.isTrue(server.isLeft)
    assert.strictEqual(session.info.id, 0x100n)
  })
})

describe("silence", () => {
  itConnectedToTwo("of two thirds of the timeout means the next server", function* ({ network, server, session }) {
    yield* TestClock.adjust("5999 millis")
    assert.isFalse(server.isLeft)
    yield* TestClock.adjust("1 millis")
    assert.isTrue(server.isLeft)
    assert.strictEqual(session.info.state._tag, "Disconnected")
    yield* reconnect(network, session)
    assert.strictEqual(session.info.id, 0x100n)
  })

  itEffect("of four thirds without a session is an expiry, which the client says itself and once", function* () {
    const { network, server, session } = yield* connect(nine)
    const states = yield* statesOf(session)
    network.set("a:2181", "hang")
    yield* TestClock.adjust("1 seconds")
    server.cut()
    const waiting = yield* Effect.forkChild(Effect.flip(exists(session, "/x")), now)
    yield* TestClock.adjust("10999 millis")
    assert.deepStrictEqual(states, ["Connected", "Disconnected"])
    yield* TestClock.adjust("1 millis")
    const error = yield* Fiber.join(waiting)
    assert.strictEqual(error._tag, "SessionExpired")
    if (error._tag === "SessionExpired") assert.strictEqual(error.sessionId, 0x100n)
    yield* TestClock.adjust("60 seconds")
    assert.deepStrictEqual(states, ["Connected", "Disconnected", "Expired", "Connecting"])
  })

  itEffect("of a session to resume counts from the start", function* () {
    const credentials = { id: 7n, password: Redacted.make(new Uint8Array(16)) }
    const { network, server, session } = yield* connect({
      sessionTimeout: "30 seconds",
      session: credentials,
      grant: { timeOut: 9000 }
    })
    // The server granted less than was asked for: the session ends by what it granted.
    network.set("a:2181", "hang")
    server.cut()
    yield* TestClock.adjust("11999 millis")
    assert.strictEqual(session.info.state._tag, "Disconnected")
    yield* TestClock.adjust("1 millis")
    assert.strictEqual(session.info.state._tag, "Connecting")
    assert.strictEqual(session.info.id, 0n)
  })
})

describe("expiry", () => {
  itEffect("is followed by a new session under recreate, which gets the later requests", function* () {
    const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
    const changed = yield* Effect.forkChild(
      Effect.flip(Effect.flatMap(session.watchExists(samePath("/x")), (watched) => watched.changed))
    )
    const { xid } = yield* server.nextRequest
    server.reply(xid, 1n, -101)
    yield* TestClock.adjust("1 millis")
    server.cut()
    const second = yield* network.accept
    const waiting = yield* Effect.forkChild(Effect.flip(exists(session, "/x")), now)
    yield* second.greet({ sessionId: 0n, timeOut: 0, passwd: new Uint8Array(16) })
    assert.strictEqual((yield* Fiber.join(waiting))._tag, "SessionExpired")
    assert.strictEqual((yield* Fiber.join(changed))._tag, "SessionExpired")
    yield* TestClock.adjust("1 seconds")
    const third = yield* network.accept
    const hello = yield* third.greet({ sessionId: 0x200n })
    assert.strictEqual(hello.sessionId, 0n)
    yield* awaitState(session, "Connected")
    assert.strictEqual(session.info.id, 0x200n)
    yield* answered(third, exists(session, "/x"), (xid) => answerExists(third, xid))
  })

  itConnectedToTwo("is what another session in the reply means", function* ({ network, server, session }) {
    const ownership = yield* owning(session)
    server.cut()
    yield* network.welcome({ sessionId: 0x999n })
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    yield* awaitState(session, "Connecting")
  })

  itEffect("is the end under fail: all requests fail with it, and nothing is dialled", function* () {
    const { network, server, session } = yield* connect({ ...nine, servers: "a,b", sessionExpiry: "fail" })
    server.cut()
    yield* network.welcome({ sessionId: 0n, timeOut: 0 })
    yield* awaitState(session, "Expired")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* Effect.flip(exists(session, "/x")))._tag, "SessionExpired")
    assert.lengthOf(network.dialled, 2)
  })
})

describe("the last zxid", () => {
  itEffect("moves on replies to requests, errors included, and on nothing else", function* () {
    const { network, server, session } = yield* connect({ ...nine, servers: "a,b" })
    const ask = Effect.fnUntraced(function* (zxid: bigint, code: number) {
      yield* answered(server, Effect.exit(exists(session, "/x")), (xid) => server.reply(xid, zxid, code))
    })
    yield* ask(0x10n, -101)
    yield* ask(0xfn, -101)
    yield* Effect.forkChild(session.addAuth(digest("u:p")))
    assert.strictEqual((yield* server.nextRequest).name, "auth")
    server.reply(Operations.Xid.auth, 0x97n)
    server.send(Frames.reply(Operations.Xid.notification, 0x99n, 0, Frames.notification(3, "/n").slice(16)))
    yield* TestClock.adjust("3 seconds")
    yield* server.requests
    pong(server, 0x98n)
    yield* TestClock.adjust("1 millis")
    server.cut()
    const next = yield* network.accept
    assert.strictEqual((yield* next.greet()).lastZxidSeen, 0x10n)
  })
})
