/** The first requests of a new connection: identities, then watches, then requests. */
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { PersistentWatchListener } from "../../src/Session.ts"
import { answerExists } from "../support/answers.ts"
import * as Frames from "../support/frames.ts"
import { MemoryNetwork } from "../support/MemoryNetwork.ts"
import {
  type SessionService,
  samePath,
  awaitState,
  startSession,
  connect,
  get,
  watchData,
  watchPersistently,
  digest,
  addAuth,
  answered,
  statesOf,
  reconnect,
  itOnNetwork
} from "../support/session.ts"
import { now, settle } from "../support/time.ts"

const options = { servers: "a,b", sessionTimeout: "60 seconds" } as const

/** A listener that writes down what it hears. */
const listen = () => {
  const types: Array<string> = []
  const ends: Array<string> = []
  const listener: PersistentWatchListener = {
    onEvent: ({ type }) => void types.push(type),
    onEnd: ({ _tag }) => void ends.push(_tag)
  }
  return { types, ends, listener }
}

const itConnected = testWith(it.effect, connect(options))
const itConnectedToOne = testWith(it.effect, connect({ ...options, servers: "a", allowReadOnly: true }))

describe("identities", () => {
  itEffect("are sent before anything else on the first connection, which is ready when all are accepted", function* () {
    const network = yield* MemoryNetwork.make
    const fiber = yield* startSession(network, { auth: [digest("ann:secret"), digest("bob:secret")] })
    const server = yield* network.welcome()
    const [first, second] = [yield* server.nextRequest, yield* server.nextRequest]
    assert.deepStrictEqual([first.name, first.xid, first.body.scheme], ["auth", -4, "digest"])
    assert.strictEqual(new TextDecoder().decode(first.body.auth), "ann:secret")
    assert.strictEqual(new TextDecoder().decode(second.body.auth), "bob:secret")
    server.reply(Operations.Xid.auth, 0n)
    yield* settle
    assert.isUndefined(fiber.pollUnsafe())
    server.reply(Operations.Xid.auth, 0n)
    yield* Fiber.join(fiber)
  })

  itEffect("go before watches, and watches before requests, on a new connection", function* () {
    const { network, server, session } = yield* connect(options)
    yield* addAuth(session, server, digest("ann:secret"))
    yield* watchData(session, server, "/w")
    server.cut()
    const read = yield* Effect.forkChild(get(session, "/r"), now)
    const next = yield* network.accept
    assert.strictEqual((yield* next.greet()).lastZxidSeen, 0x10n)
    yield* settle
    const requests = yield* next.requests
    assertEach(requests, ({ name }) => name, ["auth", "setWatches", "getData"])
    assert.deepStrictEqual(requests[1]?.body, {
      relativeZxid: 0x10n,
      dataWatches: ["/w"],
      existWatches: [],
      childWatches: []
    })
    yield* Fiber.interrupt(read)
  })

  itConnected("that are added twice are sent once on each new connection", function* ({ network, server, session }) {
    for (let time = 0; time < 2; time++) yield* addAuth(session, server, digest("ann:secret"))
    server.cut()
    const next = yield* reconnect(network, session)
    assertEach(yield* next.requests, ({ name }) => name, ["auth"])
  })

  itOnNetwork("that are refused end the session for good, at the first connection", function* (network) {
    const fiber = yield* startSession(network, { auth: [digest("ann:wrong")] })
    const server = yield* network.welcome()
    yield* server.nextRequest
    server.reply(Operations.Xid.auth, 0n, -115)
    const error = yield* Effect.flip(Fiber.join(fiber))
    assert.deepInclude({ ...error }, { _tag: "AuthFailed", scheme: "digest" })
    assert.notInclude(error.message, "wrong")
  })

  itEffect("that are refused later end the session for good: nothing is sent or dialled any more", function* () {
    const { network, server, session } = yield* connect(options)
    const changed = yield* watchData(session, server, "/w")
    const watching = yield* Effect.forkChild(Effect.flip(changed), now)
    const adding = yield* Effect.forkChild(Effect.flip(session.addAuth(digest("ann:wrong"))), now)
    const read = yield* Effect.forkChild(Effect.flip(get(session, "/x")), now)
    yield* server.nextRequest
    server.reply(Operations.Xid.auth, 0n, -115)
    assert.strictEqual((yield* Fiber.join(adding))._tag, "AuthFailed")
    assert.strictEqual((yield* Fiber.join(read))._tag, "AuthFailed")
    yield* Fiber.join(watching)
    assert.strictEqual(session.info.state._tag, "AuthFailed")
    assert.strictEqual((yield* Effect.flip(get(session, "/x")))._tag, "AuthFailed")
    yield* TestClock.adjust("1 hour")
    assert.lengthOf(network.dialled, 1)
  })
})

describe("watches", () => {
  itEffect("are registered in packets below 128 KiB, all with the zxid from before", function* () {
    const { network, server, session } = yield* connect({ ...options, maxInFlight: 10_000 })
    const fibers = yield* Effect.forEach(Array.from({ length: 3000 }), (_, n) =>
      Effect.forkChild(session.watchData(samePath(`/${"long".repeat(25)}/${n}`)), now)
    )
    yield* settle
    for (const { xid } of yield* server.requests) {
      server.replyWith(xid, 0x77n, Operations.getData, { data: null, stat: Frames.stat })
    }
    for (const fiber of fibers) yield* Fiber.join(fiber)
    server.cut()
    const next = yield* reconnect(network, session)
    const sizes = next.received.slice(1).map((frame) => frame.length)
    assert.isAtLeast(sizes.length, 3)
    assert.isTrue(sizes.every((size) => size <= 128 * 1024))
    const requests = yield* next.requests
    assert.isTrue(requests.every(({ body, name }) => name === "setWatches" && body.relativeZxid === 0x77n))
    assert.lengthOf(new Set(requests.flatMap(({ body }) => body.dataWatches)), 3000)
  })

  itConnected("by exists are registered by whether the znode is there", function* ({ network, server, session }) {
    for (const [path, code] of [
      ["/there", 0],
      ["/not-there", -101],
      ["/fired", 0]
    ] as const) {
      yield* answered(server, session.watchExists(samePath(path)), (xid) => {
        if (code === 0) answerExists(server, xid, 5n)
        else server.reply(xid, 5n, code)
      })
    }
    server.send(Frames.notification(Frames.event.deleted, "/fired"))
    yield* settle
    server.cut()
    const next = yield* network.welcome()
    assert.deepStrictEqual((yield* next.nextRequest).body, {
      relativeZxid: 5n,
      dataWatches: ["/there"],
      existWatches: ["/not-there"],
      childWatches: []
    })
  })

  itEffect("are compared with the same zxid again when a connection is lost while they are registered", function* () {
    const { network, server, session } = yield* connect(options)
    yield* watchData(session, server, "/w")
    server.cut()
    const second = yield* network.welcome()
    const read = yield* Effect.forkChild(get(session, "/r"), now)
    yield* settle
    assert.strictEqual((yield* second.nextRequest).body.relativeZxid, 0x10n)
    second.cut()
    yield* TestClock.adjust("1 second")
    const third = yield* reconnect(network, session)
    assert.strictEqual((yield* third.nextRequest).body.relativeZxid, 0x10n)
    yield* Fiber.interrupt(read)
  })

  itEffect("that are not accepted again end the connection, and are registered on the next", function* () {
    const { network, server, session } = yield* connect(options)
    const changed = yield* watchData(session, server, "/w")
    const event = yield* Effect.forkChild(changed, now)
    server.cut()
    const second = yield* network.welcome()
    second.reply((yield* second.nextRequest).xid, 0x20n, -5)
    yield* TestClock.adjust("1 second")
    const third = yield* network.welcome()
    const { body, xid } = yield* third.nextRequest
    assert.deepStrictEqual(body.dataWatches, ["/w"])
    third.send(Frames.notification(Frames.event.data, "/w"))
    third.reply(xid, 0x20n)
    assert.strictEqual((yield* Fiber.join(event)).type, "NodeDataChanged")
  })

  itEffect("that persist emit Gap once for each reconnection, and no events of the time before", function* () {
    const { network, server, session } = yield* connect(options)
    const plain = listen()
    const recursive = listen()
    yield* watchPersistently(session, server, "/p", false, plain.listener)
    yield* watchPersistently(session, server, "/p/q", true, recursive.listener)
    const event = yield* Effect.forkChild(yield* watchData(session, server, "/w"), now)
    server.send(Frames.notification(Frames.event.data, "/p", 0x12n))
    yield* settle
    assert.deepStrictEqual(plain.types, ["NodeDataChanged"])
    server.cut()
    const next = yield* network.welcome()
    const { body, name, xid } = yield* next.nextRequest
    assert.strictEqual(name, "setWatches2")
    assert.deepStrictEqual(body.persistentWatches, ["/p"])
    assert.deepStrictEqual(body.persistentRecursiveWatches, ["/p/q"])
    assert.deepStrictEqual(body.dataWatches, ["/w"])
    next.send(Frames.notification(Frames.event.data, "/w"))
    next.send(Frames.notification(Frames.event.data, "/p"))
    next.reply(xid, 0x20n)
    assert.strictEqual((yield* Fiber.join(event)).path, "/w")
    yield* settle
    assert.deepStrictEqual(plain.types, ["NodeDataChanged", "Gap"])
    assert.deepStrictEqual(recursive.types, ["Gap"])
    next.send(Frames.notification(Frames.event.created, "/p/q/r/s"))
    yield* settle
    assert.deepStrictEqual(recursive.types, ["Gap", "NodeCreated"])
  })

  itEffect("that persist go over to a new session with a Gap; the others fail", function* () {
    const { network, server, session } = yield* connect(options)
    const plain = listen()
    yield* watchPersistently(session, server, "/p", false, plain.listener)
    const lost = yield* Effect.forkChild(Effect.flip(yield* watchData(session, server, "/w")), now)
    server.cut()
    yield* network.welcome({ sessionId: 0n, timeOut: 0 })
    assert.strictEqual((yield* Fiber.join(lost))._tag, "SessionExpired")
    yield* TestClock.adjust("1 second")
    const next = yield* network.welcome({ sessionId: 0x300n })
    const { body, xid } = yield* next.nextRequest
    assert.deepStrictEqual(body.persistentWatches, ["/p"])
    assert.deepStrictEqual(body.dataWatches, [])
    next.reply(xid, 0x20n)
    yield* awaitState(session, "Connected")
    yield* settle
    assert.deepStrictEqual(plain.types, ["Gap"])
    assert.lengthOf(plain.ends, 0)
  })

  itEffect("that were dropped are given back to the server, and not registered again", function* () {
    const { network, server, session } = yield* connect(options)
    const waiting = yield* Effect.forkChild(yield* watchData(session, server, "/w"), now)
    yield* Fiber.interrupt(waiting)
    const { body, name, xid } = yield* server.nextRequest
    assert.deepStrictEqual([name, body], ["removeWatches", { path: "/w", type: 2 }])
    server.reply(xid, 0x11n)
    yield* settle
    server.cut()
    const next = yield* reconnect(network, session)
    assert.lengthOf(yield* next.requests, 0)
  })

  itConnected("whose read is interrupted in flight leave nothing behind", function* ({ server, session }) {
    const reading = yield* Effect.forkChild(session.watchData(samePath("/w")), now)
    const { xid } = yield* server.nextRequest
    yield* Fiber.interrupt(reading)
    server.replyWith(xid, 0x10n, Operations.getData, { data: null, stat: Frames.stat })
    const { body, name } = yield* server.nextRequest
    assert.deepStrictEqual([name, body], ["removeWatches", { path: "/w", type: 2 }])
  })
})

describe("a session served by a read-only server meanwhile", () => {
  /** There is a quorum again, and the session is on its own again. */
  const backWithQuorum = Effect.fnUntraced(function* (network: MemoryNetwork, session: SessionService) {
    network.writeModes.set("a:2181", "rw")
    yield* TestClock.adjust("2 seconds")
    const back = yield* network.accept
    assert.strictEqual((yield* back.greet({ readOnly: false })).sessionId, 0x100n)
    yield* awaitState(session, "Connected")
    assert.isFalse(session.info.readOnly)
    assert.strictEqual(session.info.id, 0x100n)
  })

  itEffect("reads with a provisional session, and goes back to its own when there is a quorum again", function* () {
    const { network, server, session } = yield* connect({ ...options, servers: "a", allowReadOnly: true })
    network.writeModes.set("a:2181", "ro")
    const read = yield* Effect.forkChild(get(session, "/r"), now)
    yield* server.nextRequest
    server.cut()
    // The read-only server cannot know the session, and closes on it.
    yield* TestClock.adjust("200 millis")
    const refusing = yield* network.accept
    assert.strictEqual((yield* refusing.nextHello).sessionId, 0x100n)
    refusing.cut()
    const standIn = yield* network.accept
    assert.strictEqual((yield* standIn.greet({ sessionId: 0x777n, readOnly: true })).sessionId, 0n)
    const { xid } = yield* standIn.nextRequest
    standIn.replyWith(xid, 1n, Operations.getData, { data: Frames.text("old"), stat: Frames.stat })
    assert.strictEqual(yield* Fiber.join(read), "old")
    assert.isTrue(session.info.readOnly)
    assert.strictEqual(session.info.id, 0x100n)
    yield* backWithQuorum(network, session)
  })

  itEffect("keeps its own where that server resumes it, as old ones do", function* () {
    const { network, server, session } = yield* connect({ ...options, servers: "a", allowReadOnly: true })
    network.writeModes.set("a:2181", "ro")
    server.cut()
    yield* TestClock.adjust("500 millis")
    const readOnly = yield* network.accept
    assert.strictEqual((yield* readOnly.greet({ readOnly: true })).sessionId, 0x100n)
    yield* awaitState(session, "Connected")
    assert.isTrue(session.info.readOnly)
    yield* backWithQuorum(network, session)
  })

  itConnectedToOne("expires when the ensemble has ended it meanwhile", function* ({ network, server, session }) {
    const states = yield* statesOf(session)
    network.writeModes.set("a:2181", "ro")
    server.cut()
    yield* TestClock.adjust("500 millis")
    yield* network.welcome({ readOnly: true })
    network.writeModes.set("a:2181", "rw")
    yield* TestClock.adjust("2 seconds")
    yield* network.welcome({ sessionId: 0n, timeOut: 0 })
    yield* TestClock.adjust("1 second")
    assert.include(states, "Expired")
  })

  itEffect("still ends when no server that knows it answers in time", function* () {
    const { network, server, session } = yield* connect({
      servers: "a",
      allowReadOnly: true,
      sessionTimeout: "9 seconds"
    })
    network.writeModes.set("a:2181", "ro")
    server.cut()
    yield* TestClock.adjust("200 millis")
    ;(yield* network.accept).cut()
    const standIn = yield* network.welcome({ sessionId: 0x777n, readOnly: true })
    for (let i = 0; i < 11; i++) {
      yield* TestClock.adjust("1 second")
      for (const { name } of yield* standIn.requests) if (name === "ping") standIn.reply(-2, 0n)
    }
    assert.strictEqual(session.info.id, 0x100n)
    yield* TestClock.adjust("1 second")
    assert.notStrictEqual(session.info.id, 0x100n)
  })
})
