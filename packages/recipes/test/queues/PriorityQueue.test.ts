/** A queue with priorities: what differs from one without. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as PriorityQueue from "../../src/PriorityQueue.ts"
import { assertEach, withClient, describeOnServers, failure } from "../support/targets.ts"

describeOnServers("a queue with priorities", (it) => {
  it.inChroot(
    "lets an urgent item overtake, and keeps the order of those that are as urgent",
    function* ({ another, zk }) {
      for (const layout of ["kazoo", "curator", "kazooLocking"] as const) {
        const path = `/${layout}`
        const options = { schema: Schema.String, layout }
        const queue = yield* withClient(zk)(PriorityQueue.make(path, options))
        const theirs = yield* withClient(yield* another())(PriorityQueue.make(path, options))
        yield* queue.offerAll(["usual 1", "usual 2"])
        yield* queue.offer("late", 900)
        assert.strictEqual(yield* theirs.take, "usual 1")
        // After others have been listed.
        yield* queue.offer("urgent", 0)
        yield* queue.offer("less urgent", 1)
        const order = layout === "curator" ? ["usual 2", "urgent"] : ["urgent", "less urgent"]
        assert.deepStrictEqual([yield* theirs.take, yield* theirs.take], order)
        assert.strictEqual(
          yield* theirs.consumeOne((item) => Effect.succeed(item)),
          layout === "curator" ? "less urgent" : "usual 2"
        )
        assert.strictEqual(yield* theirs.take, "late")
        yield* failure(queue.offer("never", layout === "curator" ? 2 ** 31 : 1_000), "InvalidArgument")
        yield* failure(queue.offer("never", 0.5), "InvalidArgument")
        assert.strictEqual(yield* queue.size, 0)
      }
    }
  )

  it.inChroot("orders the priorities of Curator below 0 too", function* ({ zk }) {
    const queue = yield* withClient(zk)(PriorityQueue.make("/queue", { schema: Schema.Int, layout: "curator" }))
    const priorities = [5, -1, 0, -(2 ** 31), 2 ** 31 - 1, -2]
    for (const priority of priorities) yield* queue.offer(priority, priority)
    const names = (yield* zk.getChildren("/queue")).toSorted()
    const taken = yield* Effect.forEach(priorities, () => queue.take)
    assert.deepStrictEqual(
      taken,
      priorities.toSorted((a, b) => a - b)
    )
    // As Curator, which sorts the names, has them.
    assertEach(names, (name) => name.slice(0, -10), [
      "queue-080000000",
      "queue-0FFFFFFFE",
      "queue-0FFFFFFFF",
      "queue-100000000",
      "queue-100000005",
      "queue-17FFFFFFF"
    ])
  })

  it.inChroot(
    "gives an urgent item to a taker that waits with a lock, and requeues one behind its equals",
    function* ({ zk }) {
      const queue = yield* withClient(zk)(PriorityQueue.make("/queue", { schema: Schema.Int }))
      yield* queue.offerAll([1, 2], 5)
      yield* queue.offer(3, 6)
      yield* Effect.scoped(Effect.flatMap(queue.takeWithLock, ({ requeue }) => requeue))
      assert.deepStrictEqual([yield* queue.take, yield* queue.take, yield* queue.take], [2, 1, 3])
    }
  )
})
