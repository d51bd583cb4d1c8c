/** The next server of a session: on the new list, past those that hang, refuse, or lack an operation. */
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { answerExists, answerWhoAmI, isServed, answerWrite, whoAmI } from "../support/answers.ts"
import { connect, exists, set, connectClosable, answered } from "../support/session.ts"
import { now, settle } from "../support/time.ts"

describe("a move to another server", () => {
  itEffect("does not keep a close from telling the server", function* () {
    const { close, server, session } = yield* connectClosable({})
    const reading = yield* Effect.forkChild(Effect.exit(exists(session, "/slow")), now)
    const { xid } = yield* server.nextRequest
    yield* session.updateServers("b")
    yield* settle
    server.answersCloseSession = false
    const closing = yield* Effect.forkChild(close, now)
    yield* settle
    assert.isTrue(server.sawCloseSession)
    // The request that was on its way is still answered.
    answerExists(server, xid)
    assert.isTrue(Exit.isSuccess(yield* Fiber.join(reading)))
    const goodbye = yield* server.nextRequest
    assert.strictEqual(goodbye.name, "closeSession")
    server.reply(goodbye.xid, 2n)
    yield* Fiber.join(closing)
  })

  itEffect(
    "happens also when the list grows in a callback of the handshake, as its loss of ownership tells a holder",
    function* () {
      const { network, server, session } = yield* connect({ sessionTimeout: "30 seconds" })
      yield* isServed(session, server)
      const grown = ["a", ...Array.from({ length: 99 }, (_, n) => `b${n}`)].join(",")
      const holding = Effect.catch(session.info.ownership, () => session.updateServers(grown))
      const holder = yield* Effect.forkChild(Random.withSeed(holding, "leave"), now)
      yield* TestClock.adjust("5 seconds")
      server.cut()
      const second = yield* network.accept
      assert.isUndefined(holder.pollUnsafe())
      // By the shorter timeout nothing has been proved for too long.
      yield* second.greet({ timeOut: 4000 })
      yield* settle
      assert.isDefined(holder.pollUnsafe())
      const third = yield* network.accept
      assert.notStrictEqual(third.server, "a:2181")
      assert.strictEqual((yield* third.greet()).sessionId, 0x100n)
      yield* isServed(session, third)
    }
  )

  itEffect("off the list happens also when the list is replaced while its server is dialled", function* () {
    const { network, server, session } = yield* connect({ sessionTimeout: "30 seconds" })
    yield* isServed(session, server)
    server.cut()
    const second = yield* network.accept
    assert.strictEqual(second.server, "a:2181")
    yield* session.updateServers("b")
    yield* second.greet()
    yield* TestClock.adjust("1 second")
    const third = yield* network.accept
    assert.strictEqual(third.server, "b:2181")
    assert.strictEqual((yield* third.greet()).sessionId, 0x100n)
    yield* isServed(session, third)
    assert.deepStrictEqual(session.info.server, Option.some({ host: "b", port: 2181 }))
    assert.strictEqual(session.info.id, 0x100n)
    assert.isTrue(second.isLeft)
  })
})

itEffect(
  "the ensemble is behind when nothing but silent refusals come: a refused connection begins the time anew",
  function* () {
    const { network, server, session } = yield* connect({
      servers: "a",
      sessionTimeout: "10 minutes",
      connectTimeout: "10 seconds"
    })
    yield* answered(server, set(session, "/x", "y"), (xid) => answerWrite(server, xid, 5n))
    const closing = yield* Effect.forkScoped(
      Effect.forever(Effect.flatMap(network.accept, (side) => Effect.map(side.nextHello, () => side.cut())))
    )
    server.cut()
    yield* TestClock.adjust("8 seconds")
    network.set("a:2181", "refuse")
    yield* TestClock.adjust("8 seconds")
    network.set("a:2181", "accept")
    yield* TestClock.adjust("9 seconds")
    assert.strictEqual(session.info.state._tag, "Disconnected")
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(session.info.state._tag, "EnsembleBehind")
    yield* Fiber.interrupt(closing)
  }
)

itEffect("an operation that a server lacked is tried there again after ten minutes", function* () {
  const { network, server, session } = yield* connect({ servers: "a", sessionTimeout: "2 hours" })
  yield* answered(server, Effect.flip(whoAmI(session)), (xid) => server.reply(xid, -1n, -6))
  const next = yield* network.welcome()
  yield* settle
  assert.isFalse(session.info.serverFeatures.supports("whoAmI"))
  yield* TestClock.adjust("599 seconds")
  yield* Effect.flip(whoAmI(session))
  assert.lengthOf(yield* next.requests, 0)
  yield* TestClock.adjust("1 seconds")
  assert.isTrue(session.info.serverFeatures.supports("whoAmI"))
  yield* answerWhoAmI(session, next)
  assert.lengthOf(network.dialled, 2)
})
