/**
 * Replies and events that are sent later, by the test's clock.
 */
import { ZooKeeper } from "@effect-zookeeper/client"
import * as Session from "@effect-zookeeper/session/Session"
import { during, failure, now } from "@effect-zookeeper/test-kit/Expectations"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { EmbeddedServer, layerMemoryWith, type Options } from "../../src/EmbeddedServer.ts"

const client = Layer.provide(ZooKeeper.layerSession(), Session.layer({ sessionTimeout: "10 seconds" }))

const itIn = (options: Options) =>
  testOn(
    it.effect,
    Layer.provideMerge(Layer.fresh(client), layerMemoryWith(options)),
    Effect.gen(function* () {
      const server = yield* EmbeddedServer
      // The client ends under a clock that stands still.
      yield* Effect.addFinalizer(() => server.setLatency(0))
      return { server, zk: yield* ZooKeeper.ZooKeeper }
    })
  )

const itInMemory = itIn({})

describe("a latency", () => {
  itInMemory("delays each reply, and those of a pipeline come together", function* ({ server, zk }) {
    yield* server.setLatency("100 millis")
    const asked = yield* Effect.forkChild(Effect.all([zk.create("/a"), zk.create("/b")], { concurrency: 2 }), now)
    yield* TestClock.adjust("99 millis")
    assert.isUndefined(asked.pollUnsafe())
    const { tree } = yield* server.snapshot
    assert.isDefined(tree.get("/b"), "it was applied at once")
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(yield* Fiber.join(asked), ["/a", "/b"])
  })

  itInMemory("delays events, which come before the replies after them", function* ({ server, zk }) {
    yield* zk.create("/a")
    const { changed } = yield* zk.getAndWatch("/a")
    yield* server.setLatency("50 millis")
    const order: Array<string> = []
    yield* Effect.forkChild(
      Effect.tap(changed, () => Effect.sync(() => order.push("event"))),
      now
    )
    const set = Effect.tap(zk.set("/a", "new"), () => Effect.sync(() => order.push("reply")))
    yield* during("50 millis", set)
    yield* Effect.yieldNow
    assert.sameMembers(order, ["event", "reply"])
  })

  itInMemory("that becomes shorter lets nothing overtake", function* ({ server, zk }) {
    yield* server.setLatency("100 millis")
    const first = yield* Effect.forkChild(zk.create("/a"), now)
    yield* TestClock.adjust("10 millis")
    yield* server.setLatency(0)
    const second = yield* Effect.forkChild(zk.exists("/a"), now)
    yield* TestClock.adjust("89 millis")
    assert.isUndefined(second.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(first)
    assert.isTrue(yield* Fiber.join(second))
    assert.isTrue(yield* zk.exists("/a"), "at once again")
  })

  itInMemory("of a connection that breaks loses the replies on their way", function* ({ server, zk }) {
    yield* server.setLatency("1 second")
    const asked = yield* Effect.forkChild(failure(zk.create("/a"), "ConnectionLoss"), now)
    yield* TestClock.adjust("500 millis")
    yield* server.disconnectAll
    const error = yield* during("5 seconds", Fiber.join(asked))
    assert.isTrue(error.maybeApplied)
  })

  itInMemory("stands still while the server is paused", function* ({ server, zk }) {
    yield* server.setLatency("100 millis")
    const asked = yield* Effect.forkChild(zk.create("/a"), now)
    yield* TestClock.adjust("50 millis")
    yield* server.pause
    yield* TestClock.adjust("1 second")
    assert.isUndefined(asked.pollUnsafe())
    yield* server.resume
    assert.strictEqual(yield* Fiber.join(asked), "/a")
  })
})

describe("the option version", () => {
  itIn({ version: "3.9" })("gives events the transaction that they are about", function* ({ server, zk }) {
    const { changed } = yield* zk.existsAndWatch("/a")
    yield* zk.create("/a")
    assert.deepStrictEqual((yield* changed).zxid, Option.some((yield* server.snapshot).zxid))
  })

  itInMemory("is 3.8 by default, where events tell no transaction", function* ({ zk }) {
    const { changed } = yield* zk.existsAndWatch("/a")
    yield* zk.create("/a")
    assert.deepStrictEqual((yield* changed).zxid, Option.none())
  })
})
