/** The cost of a hold in fibers, which are what it costs most: each that a change adds has to be worth it. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Lock from "../../src/Lock.ts"
import * as Queue from "../../src/Queue.ts"
import { itOnEmbedded } from "../support/embedded.ts"
import { withClient } from "../support/targets.ts"

/** How many fibers an effect starts, those of its fibers included. */
const countFibers = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.suspend(() => {
    let count = 0
    const counting: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => void count++,
      recordFiberEnd: () => {}
    }
    return Effect.map(Effect.provideService(effect, Metric.FiberRuntimeMetrics, counting), () => count)
  })

describe("fibers", () => {
  itOnEmbedded("of an uncontended lock are seven, from its position in the queue to the release", function* ({ zk }) {
    const lock = yield* withClient(zk)(Lock.make("/lock"))
    yield* lock.withLock(Effect.void)
    // The create, the look at its own znode, the watch, the session's ownership, the guarded effect and
    // what waits for its loss, and the delete.
    assert.strictEqual(yield* countFibers(lock.withLock(Effect.void)), 7)
    assert.strictEqual(yield* countFibers(lock.withLock(lock.withLock(Effect.void))), 9)
  })

  itOnEmbedded(
    "of an offer are none, and of a take one, which goes on when its caller is interrupted",
    function* ({ zk }) {
      const queue = yield* withClient(zk)(Queue.make("/queue"))
      yield* queue.offer(new Uint8Array(1))
      assert.strictEqual(yield* countFibers(queue.offer(new Uint8Array(1))), 0)
      assert.strictEqual(yield* countFibers(queue.take), 1)
    }
  )
})
