/** The end of a session, from every state that it can be in: bounded, said to the server where that is possible. */
import { assert, describe, it } from "@effect/vitest"
import type { MultiOp } from "@effect-zookeeper/protocol/Operations"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import { closable, during } from "@effect-zookeeper/test-kit/Expectations"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { SessionOptions } from "../../src/Session.ts"
import { MemoryNetwork } from "../support/MemoryNetwork.ts"
import {
  startSession,
  exists,
  get,
  remove,
  set,
  type SessionService,
  connectClosable,
  digest,
  answered
} from "../support/session.ts"
import { now } from "../support/time.ts"

const options = { servers: "a,b", sessionTimeout: "30 seconds" } as const

const connectWith = (more: SessionOptions) => connectClosable({ ...options, ...more })

const connectIn = connectWith({})

const itConnected = testWith(it.effect, connectIn)

describe("closing", () => {
  itEffect("a connected session tells the server, waits for its answer, and lets go of the connection", function* () {
    const { close, network, server, session } = yield* connectIn
    const states = yield* Effect.forkChild(Stream.runCollect(session.info.states), now)
    yield* close
    assert.isTrue(server.sawCloseSession)
    assert.isTrue(server.isLeft)
    assert.strictEqual(session.info.state._tag, "Closed")
    assert.deepStrictEqual((yield* Fiber.join(states)).map(({ _tag }) => _tag).at(-1), "Closed")
    const { length } = server.received
    yield* TestClock.adjust("1 hour")
    assert.lengthOf(network.dialled, 1)
    assert.lengthOf(server.received, length)
  })

  itConnected("fails waiting and later requests with SessionClosed", function* ({ close, server, session }) {
    server.answersCloseSession = false
    const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
    const watch = yield* Effect.forkChild(Effect.flip(session.info.ownership), now)
    const closing = yield* Effect.forkChild(close, now)
    yield* TestClock.adjust("1 millis")
    assert.strictEqual((yield* Effect.flip(exists(session, "/2")))._tag, "SessionClosed")
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual((yield* Fiber.join(read))._tag, "SessionClosed")
    assert.strictEqual((yield* Fiber.join(watch))._tag, "OwnershipLost")
    yield* Fiber.join(closing)
    assert.strictEqual((yield* Effect.flip(set(session, "/2", "x")))._tag, "SessionClosed")
    const credentials = digest("ann:secret")
    assert.strictEqual((yield* Effect.flip(session.addAuth(credentials)))._tag, "SessionClosed")
  })

  itEffect("lets replies that are on their way come in before closeSession is answered", function* () {
    const { close, server, session } = yield* connectIn
    server.answersCloseSession = false
    const read = yield* Effect.forkChild(Effect.flip(exists(session, "/1")), now)
    const request = yield* server.nextRequest
    const closing = yield* Effect.forkChild(close, now)
    server.reply(request.xid, 1n, -101)
    assert.strictEqual((yield* Fiber.join(read))._tag, "NoNode")
    server.reply((yield* server.nextRequest).xid, 2n)
    yield* Fiber.join(closing)
  })

  for (const [title, more, millis] of [
    ["waits two seconds at most for a server that does not answer", {}, 2000],
    ["waits for it as long as closeTimeout says", { closeTimeout: "300 millis" }, 300]
  ] as const) {
    itEffect(title, function* () {
      const { close, server, session } = yield* connectWith(more)
      server.answersCloseSession = false
      yield* Effect.forkChild(Effect.ignore(get(session, "/1")), now)
      const closing = yield* Effect.forkChild(close, now)
      yield* TestClock.adjust(millis - 1)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.strictEqual(session.info.state._tag, "Closed")
      assert.isTrue(server.isLeft)
      const { length } = server.received
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(server.received, length)
    })
  }

  itConnected("does not wait for a network that takes no bytes", function* ({ close, server, session }) {
    server.clog()
    yield* Effect.forkChild(Effect.ignore(set(session, "/x", "y")), now)
    yield* TestClock.adjust("1 millis")
    yield* during("2 seconds", close)
  })

  itEffect("F48: in the middle of a transaction reports its fate, and twice is once", function* () {
    for (const answered of [true, false]) {
      const { close, server, session } = yield* connectIn
      server.answersCloseSession = false
      const ops: ReadonlyArray<MultiOp> = [{ operation: "delete", request: { path: "/a", version: -1 } }]
      const writing = yield* Effect.forkChild(Effect.result(session.request(Operations.multi, ops, "/a")), now)
      const { xid } = yield* server.nextRequest
      const closing = yield* Effect.forkChild(Effect.andThen(close, close), now)
      yield* TestClock.adjust("900 millis")
      if (answered) {
        server.replyWith(xid, 5n, Operations.multi, [{ operation: "delete", response: undefined }])
        const goodbye = yield* server.nextRequest
        assert.strictEqual(goodbye.name, "closeSession")
        server.reply(goodbye.xid, 6n)
      } else {
        yield* TestClock.adjust("1100 millis")
      }
      yield* Fiber.join(closing)
      const result = yield* Fiber.join(writing)
      if (answered) assert.strictEqual(result._tag, "Success")
      else assert.strictEqual(result._tag === "Failure" && result.failure._tag, "SessionClosed")
      assert.isTrue(server.isLeft)
      assert.strictEqual(session.info.state._tag, "Closed")
    }
  })

  itConnected(
    "a disconnected session looks for a server until the end, and makes no extra attempts in its pauses",
    function* ({ close, network, server, session }) {
      network.set("a:2181", "hang")
      network.set("b:2181", "hang")
      server.cut()
      yield* TestClock.adjust("1 second")
      assert.strictEqual(session.info.state._tag, "Disconnected")
      const read = yield* Effect.forkChild(Effect.flip(get(session, "/1")), now)
      const closing = yield* Effect.forkChild(close, now)
      assert.strictEqual((yield* Fiber.join(read))._tag, "SessionClosed")
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      assert.strictEqual(session.info.state._tag, "Closed")
    }
  )

  itEffect(
    "a disconnected session in a pause asks again at once, and sends closeSession where a server is back",
    function* () {
      const { close, network, server, session } = yield* connectWith({ retry: Schedule.spaced("20 seconds") })
      network.set("a:2181", "refuse")
      network.set("b:2181", "refuse")
      server.cut()
      yield* TestClock.adjust("3 seconds")
      network.set("a:2181", "accept")
      network.set("b:2181", "accept")
      const closing = yield* Effect.forkChild(close, now)
      const next = yield* network.accept
      assert.strictEqual((yield* next.greet()).sessionId, session.info.id)
      yield* Fiber.join(closing)
      assert.isTrue(next.sawCloseSession)
    }
  )

  itEffect("sends closeSession again elsewhere when the connection breaks with it, or had been broken", function* () {
    const { close, network, server } = yield* connectIn
    server.answersCloseSession = false
    const closing = yield* Effect.forkChild(close, now)
    assert.strictEqual((yield* server.nextRequest).name, "closeSession")
    server.cut()
    const next = yield* network.welcome()
    yield* Fiber.join(closing)
    assert.isTrue(next.sawCloseSession)
  })

  itConnected(
    "leaves a server that has been silent for half of the time, and closes the session at another",
    function* ({ close, network, server }) {
      server.answersCloseSession = false
      const closing = yield* Effect.forkChild(close, now)
      yield* TestClock.adjust("1 second")
      const next = yield* network.welcome()
      yield* Fiber.join(closing)
      assert.isTrue(server.sawCloseSession)
      assert.isTrue(next.sawCloseSession)
    }
  )

  itEffect("in the very moment of Connected ends the session at the server", function* () {
    const { close, network, server, session } = yield* connectIn
    const connected = session.info.states.pipe(
      Stream.drop(1),
      Stream.filter(({ _tag }) => _tag === "Connected"),
      Stream.runHead
    )
    const closing = yield* Effect.forkChild(Effect.andThen(connected, close), now)
    server.cut()
    const next = yield* network.welcome()
    yield* Fiber.join(closing)
    assert.isTrue(next.sawCloseSession)
  })

  itEffect("is done when the session turns out to be over, and begins no other", function* () {
    const { close, network, server } = yield* connectIn
    server.cut()
    const closing = yield* Effect.forkChild(close, now)
    yield* network.welcome({ timeOut: 0 })
    yield* Fiber.join(closing)
    yield* TestClock.adjust("1 hour")
    assert.lengthOf(network.dialled, 2)
  })

  itEffect("tells owners first, and waits for their guarded effects before closeSession", function* () {
    const { close, server, session } = yield* connectIn
    const { closing: told, ownership } = session.info
    const release = yield* told.hold("ephemeral")
    const losing = yield* Effect.forkChild(Effect.flip(ownership), now)
    const beginning = yield* Effect.forkChild(told.begun, now)
    assert.isTrue(Option.isNone(told.deadline))
    const closing = yield* Effect.forkChild(close, now)
    assert.strictEqual((yield* Fiber.join(losing))._tag, "OwnershipLost")
    yield* Fiber.join(beginning)
    assert.isTrue(Option.isSome(told.deadline))
    yield* TestClock.adjust("1900 millis")
    // It goes on by the session while it cleans up.
    const last = yield* answered(server, Effect.flip(exists(session, "/x")), (xid) => server.reply(xid, 1n, -101))
    assert.strictEqual(last._tag, "NoNode")
    assert.isFalse(server.sawCloseSession)
    yield* release
    yield* Fiber.join(closing)
    assert.isTrue(server.sawCloseSession)
  })

  itEffect("leaves the session to lapse if something still runs at the deadline", function* () {
    const { close, server, session } = yield* connectIn
    const release = yield* session.info.closing.hold("ephemeral")
    yield* during("2 seconds", close)
    assert.isFalse(server.sawCloseSession)
    assert.isTrue(server.isLeft)
    assert.strictEqual(session.info.state._tag, "Closed")
    yield* release
  })

  itEffect("has one deadline for all releases, and sends closeSession to a hanging server all the same", function* () {
    const { close, scope, server, session } = yield* connectIn
    server.answersCloseSession = false
    for (let index = 0; index < 30; index++) {
      const giveBack = session.info.closing.giveBack(Effect.exit(remove(session, `/${index}`)))
      yield* Scope.addFinalizer(scope, giveBack)
    }
    const closing = yield* Effect.forkChild(close, now)
    yield* TestClock.adjust("1999 millis")
    assert.isUndefined(closing.pollUnsafe())
    assert.isTrue(server.sawCloseSession)
    assert.lengthOf(
      (yield* server.requests).filter(({ name }) => name === "delete"),
      30
    )
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(closing)
  })

  itEffect("deadline is never in the future of a session that is over", function* () {
    const clock = yield* Clock.Clock
    const isPast = ({ info }: SessionService) => info.deadline <= clock.monotonicTimeNanosUnsafe()
    const closed = yield* connectIn
    assert.isFalse(isPast(closed.session))
    yield* closed.close
    assert.isTrue(isPast(closed.session))

    const expired = yield* connectWith({ sessionExpiry: "fail" })
    expired.server.cut()
    yield* (yield* expired.network.accept).greet({ timeOut: 0 })
    yield* Effect.forkChild(Effect.exit(expired.session.info.ownership), now)
    yield* TestClock.adjust("1 millis")
    assert.strictEqual(expired.session.info.state._tag, "Expired")
    assert.isTrue(isPast(expired.session))

    const refused = yield* connectIn
    const adding = digest("ann:secret")
    yield* Effect.forkChild(Effect.exit(refused.session.addAuth(adding)), now)
    yield* refused.server.nextFrame
    refused.server.reply(-4, 0n, -115)
    yield* TestClock.adjust("1 millis")
    assert.strictEqual(refused.session.info.state._tag, "AuthFailed")
    assert.isTrue(isPast(refused.session))
  })

  itEffect("while dialling, and in the middle of a handshake, is done at once", function* () {
    for (const mode of ["hang", "accept"] as const) {
      const network = yield* MemoryNetwork.make
      network.set("a:2181", mode)
      const [, close] = yield* closable(startSession(network))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(network.dialled, 1)
      yield* close
      assert.isTrue(network.connections.every(({ isLeft }) => isLeft))
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(network.dialled, 1)
    }
  })

  itEffect("after detach does nothing more, and detaching twice is once", function* () {
    const { close, network, server, session } = yield* connectIn
    yield* session.info.detach
    assert.isTrue(server.isLeft)
    assert.isFalse(server.sawCloseSession)
    yield* session.info.detach
    yield* close
    assert.strictEqual((yield* Effect.flip(get(session, "/1")))._tag, "SessionClosed")
    yield* TestClock.adjust("1 hour")
    assert.lengthOf(network.dialled, 1)
  })
})
