/** A queue whose items are worked on under a lock: handed out until they are done. */
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { LockLost } from "../../src/Errors.ts"
import { getLockedItems, makeNumberQueue } from "../support/queues.ts"
import { describeOnServers, eventually, failure } from "../support/targets.ts"
import { endlessWork } from "../support/holds.ts"

describeOnServers("a queue taken from with a lock", (it) => {
  it.inChroot("keeps an item until it is done, and gives it to no other client meanwhile", function* ({ another, zk }) {
    const queue = yield* makeNumberQueue(zk)
    const theirs = yield* makeNumberQueue(yield* another())
    yield* queue.offerAll([1, 2])
    yield* queue.consumeOne((first) =>
      Effect.gen(function* () {
        assert.strictEqual(first, 1)
        assert.strictEqual(yield* theirs.size, 2)
        yield* theirs.consumeOne((second) => Effect.sync(() => assert.strictEqual(second, 2)))
        assert.strictEqual(yield* theirs.size, 1)
      })
    )
    assert.strictEqual(yield* queue.size, 0)
  })

  it.inChroot(
    "gives an item back when its handler fails or is interrupted, at its old place",
    function* ({ another, zk }) {
      const queue = yield* makeNumberQueue(zk)
      const theirs = yield* makeNumberQueue(yield* another())
      yield* queue.offerAll([1, 2])
      assert.strictEqual(yield* Effect.flip(queue.consumeOne((n) => Effect.fail(`failed ${n}`))), "failed 1")
      const began = yield* Deferred.make<number>()
      const working = yield* Effect.forkChild(
        theirs.consume((n) => Effect.andThen(Deferred.succeed(began, n), Effect.never))
      )
      assert.strictEqual(yield* Deferred.await(began), 1)
      // Takers that wait for the only other free item, and for the one that is given back.
      assert.strictEqual(yield* queue.consumeOne((n) => Effect.succeed(n)), 2)
      const waiting = yield* Effect.forkChild(queue.consumeOne((n) => Effect.succeed(n)))
      yield* Fiber.interrupt(working)
      assert.strictEqual(yield* Fiber.join(waiting), 1)
    }
  )

  it.inChroot("ends a consumer with the first failure of its handler, a LockLost of its own too", function* ({ zk }) {
    const queue = yield* makeNumberQueue(zk)
    yield* queue.offerAll([1, 2, 3])
    const own = new LockLost({ path: "/other", reason: "session" })
    const seen: Array<number> = []
    const error = yield* Effect.flip(
      queue.consume((n) =>
        Effect.andThen(
          Effect.sync(() => seen.push(n)),
          n === 3 ? Effect.fail(own) : Effect.void
        )
      )
    )
    assert.strictEqual(error, own)
    assert.deepStrictEqual(seen, [1, 2, 3])
    yield* eventually(getLockedItems(zk), (marks) => marks.length === 0)
    assert.strictEqual(yield* queue.size, 1)
  })

  it.inChroot("puts an item at the end when it is asked to", function* ({ zk }) {
    const queue = yield* makeNumberQueue(zk)
    yield* queue.offerAll([1, 2])
    yield* Effect.scoped(
      Effect.flatMap(queue.takeWithLock, ({ item, requeue }) => {
        assert.strictEqual(item, 1)
        return requeue
      })
    )
    assert.deepStrictEqual([yield* queue.take, yield* queue.take], [2, 1])
  })

  it.inChroot(
    "hands an item out once more when the session of its consumer ends, whose handler is interrupted",
    function* ({ another, expire, zk }) {
      const other = yield* another()
      const theirs = yield* makeNumberQueue(other)
      const mine = yield* makeNumberQueue(zk)
      yield* mine.offer(1)
      let wasInterrupted = false
      const { began, work } = yield* endlessWork<number>(Effect.sync(() => (wasInterrupted = true)))
      const working = yield* Effect.forkChild(theirs.consumeOne(work))
      yield* began
      const handled: Array<number> = []
      const waiting = yield* Effect.forkChild(mine.consume((n) => Effect.sync(() => handled.push(n))))
      yield* expire(other)
      yield* failure(Fiber.join(working), "LockLost")
      assert.isTrue(wasInterrupted)
      yield* eventually(mine.size, (size) => size === 0)
      yield* eventually(getLockedItems(zk), (marks) => marks.length === 0)
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(handled, [1])
    }
  )

  it.inChroot("goes on with the next item when it has lost one", function* ({ zk }) {
    const queue = yield* makeNumberQueue(zk)
    yield* queue.offerAll([1, 2])
    const seen: Array<number> = []
    const began = yield* Deferred.make<void>()
    const working = yield* Effect.forkChild(
      queue.consume((n) => {
        seen.push(n)
        return seen.length === 1 ? Effect.andThen(Deferred.succeed(began, undefined), Effect.never) : Effect.void
      })
    )
    yield* Deferred.await(began)
    const [mark = ""] = yield* zk.getChildren("/queue-taken")
    yield* zk.delete(`/queue-taken/${mark}`)
    yield* eventually(queue.size, (size) => size === 0)
    yield* Fiber.interrupt(working)
    assert.deepStrictEqual(seen, [1, 1, 2])
  })
})
