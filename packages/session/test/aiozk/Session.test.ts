/**
 * What aiozk's own suite asserts of a session (its cases 45 to 59), and the scenarios in which its session fails (S1 to
 * S13), each with the right outcome. What holds on real sockets is in `Connection.faults` and `CutEverywhere`.
 *
 * Held elsewhere: 46 by Session.close "while dialling, and in the middle of a handshake, is done at once"; 49, 50 and 53 by
 * Requests.replies "with a typed error fail with the error of the row"; 52 by Requests.lostConnection "fails the writes that
 * had left"; 58 by Requests.callers "leaves the order of replies right"; S1 and S2 by Requests.maybeApplied "when the
 * connection is lost" and Session.bounds "are noticed at once".
 */
import { assertEach, during } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Session from "../../src/Session.ts"
import * as Frames from "../support/frames.ts"
import { itLogged } from "../support/logs.ts"
import { samePath, awaitState, startSession, connect, get, connectClosable, itOnNetwork } from "../support/session.ts"
import { now, settle } from "../support/time.ts"
import { answerExists } from "../support/answers.ts"

const two = { servers: "a,b", sessionTimeout: "9 seconds" } as const

const isWarning = (line: string) => !line.startsWith("Info")

const itConnected = testWith(it.effect, connect(two))

describe("aiozk's cases", () => {
  itOnNetwork("45: two callers that need the session at once wait for the same connection", function* (network) {
    const layer = Session.layer({ servers: "a" }).pipe(Layer.provide(Layer.succeed(Transport, network.transport)))
    const id = Session.Session.use((session) => Effect.sync(() => session.info.id))
    const both = yield* Effect.forkChild(
      Effect.provide(Effect.all([Effect.provide(id, layer), Effect.provide(id, layer)], { concurrency: 2 }), layer),
      now
    )
    yield* network.welcome()
    assert.deepStrictEqual(yield* Fiber.join(both), [0x100n, 0x100n])
    assert.lengthOf(network.dialled, 1)
  })

  itLogged("47: a graceful close logs nothing, not even while requests are on their way", function* (lines) {
    const { close, server, session } = yield* connectClosable(two)
    yield* Effect.forkChild(Effect.ignore(get(session, "/x")), now)
    yield* during("2 seconds", close)
    assert.isTrue(server.sawCloseSession)
    assert.deepStrictEqual(lines.filter(isWarning), [])
  })

  itLogged("48: an unexpected end of a session is logged", function* (lines) {
    const { network, server, session } = yield* connect(two)
    server.cut()
    yield* network.welcome({ sessionId: 0n, timeOut: 0 })
    yield* awaitState(session, "Connecting")
    const warnings = lines.filter(isWarning)
    assert.lengthOf(warnings, 1)
    assert.include(warnings[0], "session 0x100 has expired")
  })

  itEffect("51: a cancelled request is cancelled, and nothing waits for it", function* () {
    const { network, server, session } = yield* connect(two)
    const read = yield* Effect.forkChild(get(session, "/x"), now)
    yield* server.nextRequest
    yield* Fiber.interrupt(read)
    assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(read)))
    server.cut()
    yield* TestClock.adjust("1 second")
    const next = yield* network.welcome()
    yield* settle
    assert.lengthOf(yield* next.requests, 0)
  })

  itEffect("56, 57: one heartbeat at a time, and none after the close", function* () {
    const { close, server, session } = yield* connectClosable(two)
    for (let i = 0; i < 3; i++) {
      yield* Effect.forkChild(Effect.ignore(get(session, `/${i}`)), now)
      yield* settle
    }
    yield* server.requests
    yield* TestClock.adjust("3 seconds")
    assertEach(yield* server.requests, ({ name }) => name, ["ping"])
    yield* during("2 seconds", close)
    const { length } = server.received
    yield* TestClock.adjust("1 hour")
    assert.lengthOf(server.received, length)
  })

  itOnNetwork("59: servers that only read are passed over, with pauses, until one writes", function* (network) {
    const fiber = yield* startSession(network, { servers: "a", connectTimeout: "10 minutes" })
    for (let i = 0; i < 100; i++) {
      while (network.waiting > 0) {
        const readOnly = yield* network.accept
        assert.isFalse((yield* readOnly.nextHello).readOnly)
        readOnly.send(Frames.reply(0, 0n, -119))
      }
      yield* TestClock.adjust("100 millis")
    }
    // Eight on average: the pauses are random.
    assert.isAtMost(network.dialled.length, 30)
    while (network.waiting === 0) yield* TestClock.adjust("100 millis")
    yield* network.welcome()
    yield* Fiber.join(fiber)
  })
})

describe("where aiozk's session fails", () => {
  itEffect("S4, S5: a handshake that breaks or stalls leaves the session alone", function* () {
    const { network, server, session } = yield* connect({ ...two, sessionTimeout: "30 seconds" })
    server.cut()
    const broken = yield* network.accept
    yield* broken.nextHello
    broken.cut()
    yield* TestClock.adjust("1 second")
    const stalled = yield* network.accept
    yield* stalled.nextHello
    yield* TestClock.adjust("6 seconds")
    assert.isTrue(stalled.isLeft)
    const hello = yield* (yield* network.accept).greet()
    assert.strictEqual(hello.sessionId, 0x100n)
    yield* awaitState(session, "Connected")
    assert.strictEqual(session.info.id, 0x100n)
  })

  itConnected(
    "S9: a watch by exists is registered by whether the znode was there, and not once it has fired",
    function* ({ network, server, session }) {
      for (const [path, code] of [
        ["/there", 0],
        ["/not-there", -101],
        ["/fired", 0]
      ] as const) {
        const fiber = yield* Effect.forkChild(session.watchExists(samePath(path)), now)
        const { xid } = yield* server.nextRequest
        if (code === 0) answerExists(server, xid, 5n)
        else server.reply(xid, 5n, code)
        yield* Fiber.join(fiber)
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
    }
  )
})
