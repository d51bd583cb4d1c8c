/** A queue whose requests and replies are lost: each item once, or until it is done. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { BreakableEndpoint } from "@effect-zookeeper/test-kit/conformance/Target"
import * as LaggingClient from "@effect-zookeeper/test-kit/LaggingClient"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { removeLock } from "../../src/internal/queues/itemLock.ts"
import { beforeLooks, sometimesLose } from "../support/links.ts"
import { getLockedItems, makeNumberQueue } from "../support/queues.ts"
import { numbersBelow, describeOnServers, awaitCondition, eventually, text } from "../support/targets.ts"

describeOnServers("a queue whose replies are lost", (it) => {
  it.inChroot("has each offered item once, in order", function* ({ breakable, zk }) {
    const { link, zk: breaking } = yield* breakable()
    const queue = yield* makeNumberQueue(breaking)
    const theirs = yield* makeNumberQueue(zk)
    for (const [n, lose] of [link.loseReply, link.loseRequest, link.loseReply].entries()) {
      yield* lose(Operations.multi)
      yield* queue.offer(n)
      // Taken at once, before any client can see the item.
      assert.strictEqual(yield* theirs.take, n)
    }
    assert.strictEqual(yield* theirs.size, 0)
  })

  it.inChroot("hands out each item once, and none is lost", function* ({ breakable, zk }) {
    const { link, zk: breaking } = yield* breakable()
    const theirs = yield* makeNumberQueue(zk)
    yield* theirs.offerAll([1, 2, 3, 4])
    const queue = yield* makeNumberQueue(breaking)
    assert.strictEqual(yield* queue.take, 1)
    yield* link.loseReply(Operations.multi)
    assert.strictEqual(yield* queue.take, 2)
    yield* link.loseRequest(Operations.multi)
    assert.strictEqual(yield* queue.take, 3)
    assert.strictEqual(yield* theirs.size, 1)
  })

  it.inChroot("counts an item of unknown fate as not taken", function* ({ breakable, expire, zk }) {
    const { link, zk: breaking } = yield* breakable()
    const theirs = yield* makeNumberQueue(zk)
    yield* theirs.offerAll([1, 2, 3])
    const queue = yield* makeNumberQueue(breaking)
    assert.strictEqual(yield* queue.take, 1)
    const cut = Effect.andThen(link.cut, Effect.andThen(expire(breaking), link.heal))
    const cutting = yield* makeNumberQueue(beforeLooks(breaking, cut))
    yield* link.loseReply(Operations.multi)
    assert.strictEqual(yield* cutting.take, 3)
    assert.strictEqual(yield* theirs.size, 0)
  })

  it.inChroot("finishes each item once, whether the reply comes or not", function* ({ breakable, zk }) {
    const { link, zk: breaking } = yield* breakable()
    const theirs = yield* makeNumberQueue(zk)
    yield* theirs.offerAll(numbersBelow(5))
    const queue = yield* makeNumberQueue(breaking)
    const handled: Array<number> = []
    for (const lose of [
      link.loseReply(Operations.multi),
      link.loseRequest(Operations.multi),
      link.loseReply(Operations.create),
      link.loseRequest(Operations.create),
      Effect.void
    ]) {
      yield* lose
      yield* queue.consumeOne((n) => Effect.sync(() => handled.push(n)))
    }
    assert.deepStrictEqual(handled, numbersBelow(5))
    assert.strictEqual(yield* theirs.size, 0)
    yield* eventually(getLockedItems(zk), (marks) => marks.length === 0)
  })

  const items = process.env["ZK_LONG"] === "1" ? 1_000 : 60

  it.inChroot(
    "at most once: three consumers get no item twice, and all that was not unknown",
    function* ({ breakable }) {
      const producer = yield* breakable()
      const consumers = yield* Effect.forEach(numbersBelow(3), () => breakable())
      const taken: Array<number> = []
      const taking = yield* Effect.forEach(consumers, ({ link, zk }) =>
        Effect.gen(function* () {
          const queue = yield* makeNumberQueue(zk)
          while (true) {
            yield* sometimesLose(link, Operations.multi)
            taken.push(yield* queue.take)
          }
        }).pipe(Effect.scoped, Effect.forkChild)
      )
      const queue = yield* makeNumberQueue(producer.zk)
      for (let n = 0; n < items; n++) {
        yield* sometimesLose(producer.link, Operations.multi)
        yield* queue.offer(n)
      }
      yield* awaitCondition(() => taken.length >= items)
      assert.deepStrictEqual(
        taken.toSorted((a, b) => a - b),
        numbersBelow(items)
      )
      yield* Effect.forEach(taking, Fiber.interrupt)
    }
  )

  it.inChroot(
    "at least once: three consumers finish every item, each in one's hands at a time",
    function* ({ breakable, zk }) {
      const producer = yield* breakable()
      const consumers = yield* Effect.forEach(numbersBelow(3), () => breakable())
      const handled: Array<number> = []
      const inHand = new Set<number>()
      const handle = (link: BreakableEndpoint) => (n: number) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            assert.isFalse(inHand.has(n))
            inHand.add(n)
          }),
          () =>
            Effect.gen(function* () {
              yield* sometimesLose(link, Operations.multi)
              yield* sometimesLose(link, Operations.create)
              handled.push(n)
            }),
          () => Effect.sync(() => inHand.delete(n))
        )
      const working = yield* Effect.forEach(consumers, ({ link, zk }) =>
        Effect.forkChild(Effect.scoped(Effect.flatMap(makeNumberQueue(zk), (queue) => queue.consume(handle(link)))))
      )
      const queue = yield* makeNumberQueue(producer.zk)
      for (let n = 0; n < items; n++) {
        yield* sometimesLose(producer.link, Operations.multi)
        yield* queue.offer(n)
      }
      yield* eventually((yield* makeNumberQueue(zk)).size, (size) => size === 0)
      yield* Effect.forEach(working, Fiber.interrupt)
      assert.deepStrictEqual(
        [...new Set(handled)].toSorted((a, b) => a - b),
        numbersBelow(items)
      )
      yield* eventually(getLockedItems(zk), (marks) => marks.length === 0)
    }
  )

  it.inChroot("leaves the lock of the next taker when the server lags behind", function* ({ another, zk }) {
    const mine = yield* another()
    const client = LaggingClient.make(mine, "/lock")
    yield* mine.create("/lock", { mode: "ephemeral", data: "mine" })
    yield* client.stay
    yield* zk.delete("/lock")
    yield* zk.create("/lock", { mode: "ephemeral", data: "another's" })
    yield* removeLock(client.zk, { lock: "/lock", id: "mine" })
    assert.strictEqual(text(yield* zk.getData("/lock")), "another's")
  })
})
