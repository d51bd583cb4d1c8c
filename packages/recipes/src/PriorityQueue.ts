/**
 * A queue whose items have a priority: more urgent items overtake, and equally urgent ones are first in first out.
 *
 * Lower numbers are more urgent: from 0 to 999 in the layouts of kazoo (`kazoo` is the default), and any 32 bits in
 * `curator`, the layout of `DistributedPriorityQueue`. In everything else it is a `Queue`: the two ways to take, their
 * guarantees, and their limits. Each take lists the items, so that it overlooks no urgent one: its cost grows with the
 * length of the queue.
 *
 * @since 0.1.0
 */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeConsumer, makeQueue } from "./internal/queues/makeQueue.ts"
import * as QueueOps from "./internal/queues/queueOps.ts"
import type { BytesOptions, Consumer, OfferError, Options } from "./Queue.ts"

export type { BytesOptions, Consumer, Layout, OfferError, Options, TakeError, Taken } from "./Queue.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A queue with priorities at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface PriorityQueue<A> extends Consumer<A> {
  /**
   * Puts an item behind those that are as urgent; lower numbers are more urgent. Default: 100 in the layouts of kazoo, and
   * 0 in Curator's. It may still do so after an interruption. Fails with `InvalidArgument` for a priority that the layout
   * does not have.
   */
  readonly offer: (item: A, priority?: number) => Effect.Effect<void, OfferError>
  /** Puts items there, one behind the other: all, or none. They share one request. */
  readonly offerAll: (items: ReadonlyArray<A>, priority?: number) => Effect.Effect<void, OfferError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a queue with priorities at a path, of bytes, or of items with a Schema. Nothing is sent before it is used. Fails
 * with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { PriorityQueue } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * export const program = Effect.gen(function* () {
 *   const jobs = yield* PriorityQueue.make("/queues/jobs", { schema: Schema.String })
 *   yield* jobs.offer("clean up", 900)
 *   yield* jobs.offer("restore", 10)
 *   yield* jobs.consume((job) => Effect.log(job))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  (
    path: string,
    options?: BytesOptions
  ): Effect.Effect<PriorityQueue<Uint8Array>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope>
  <A, I>(
    path: string,
    options: Options<A, I>
  ): Effect.Effect<PriorityQueue<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope>
} = <A, I>(path: string, options: BytesOptions | Options<A, I> = {}) =>
  Effect.map(makeQueue<A, I>(path, options, "kazoo", true), (queue): PriorityQueue<A> => {
    const { maxPriority, minPriority, defaultPriority } = queue.naming
    const offerAll = (items: ReadonlyArray<A>, priority: number = defaultPriority): Effect.Effect<void, OfferError> =>
      Number.isInteger(priority) && priority >= minPriority && priority <= maxPriority
        ? QueueOps.offer(queue, items, priority)
        : Effect.fail(
            new InvalidArgument({
              argument: "priority",
              value: String(priority),
              rule: `a whole number from ${minPriority} to ${maxPriority}`
            })
          )
    return { ...makeConsumer(path, queue), offer: (item, priority) => offerAll([item], priority), offerAll }
  })
