/**
 * A queue that many clients put items into and take items from, first in first out.
 *
 * There are two ways to take an item. All consumers of a queue should use the same one:
 *
 * - `take` and `poll`: **at most once**. The item is deleted, and then handed out. A consumer that dies in between, or
 *   while it works on the item, loses it.
 * - `consume`, `consumeOne` and `takeWithLock`: **at least once**. The item stays, with a lock beside it, until it is
 *   finished. If the consumer dies, the lock ends with its session, and the item is handed out again.
 *
 * **Guarantees**
 *
 * - An item is offered once, even when replies are lost: a marker znode tells whether the transaction was applied.
 * - `take` hands out no item twice, whatever replies are lost; a taker that is interrupted puts back the item that it had
 *   deleted.
 * - A handler of `consume` is interrupted before another client can get its item, as with a lock. Only the holder of an
 *   item's lock can delete it: the `ack` of a former holder is refused, even if its lock was deleted and another client
 *   has taken the item since.
 * - With `maxAttempts`, an item that was taken so often and never finished goes to the dead letters, once, whichever
 *   client dies meanwhile.
 * - Items come in the order of their numbers, also when the counter wraps.
 *
 * It does not guarantee an order among consumers that take at the same time, nor that an item which is given back is not
 * overtaken. Where the session ends between a request and its lost reply, an offer fails with `OutcomeUnknown`, and an
 * item that `take` was taking counts as not taken and may be lost. Nor can it tell apart two items of the same name: if a
 * queue is deleted and created again between the read of an item and the transaction that takes it, names and versions
 * begin anew. Then an item of the new queue may be deleted in place of the one that is handed out. Delete a queue only
 * when no client takes from it.
 *
 * ZooKeeper is not made for many or large items: a list of all names has to fit into one reply (`maxFrameSize`), some ten
 * thousand items.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { OutcomeUnknown, RecipeError } from "./Errors.ts"
import { type BytesOptions, type Consumer, makeConsumer, makeQueue, type Options } from "./internal/queues/makeQueue.ts"
import * as QueueOps from "./internal/queues/queueOps.ts"

export type { Layout } from "./internal/queues/entryFormat.ts"
export type { BytesOptions, Consumer, Options } from "./internal/queues/makeQueue.ts"
export type { TakeError } from "./internal/queues/queueOps.ts"
export type { Taken } from "./internal/queues/takeWithLock.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A queue at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface Queue<A> extends Consumer<A> {
  /** Puts an item at the end. It may still do so after an interruption. */
  readonly offer: (item: A) => Effect.Effect<void, OfferError>
  /** Puts items at the end, one behind the other: all, or none. They share one request. */
  readonly offerAll: (items: ReadonlyArray<A>) => Effect.Effect<void, OfferError>
}

/**
 * Errors of offering items.
 *
 * @category errors
 * @since 0.1.0
 */
export type OfferError = OutcomeUnknown | RecipeError

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a queue at a path, of bytes, or of items with a Schema. Nothing is sent before it is used; the first use creates
 * the path, with containers above it. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Queue } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Mail = Schema.Struct({ to: Schema.String, text: Schema.String })
 *
 * export const program = Effect.gen(function* () {
 *   const mails = yield* Queue.make("/queues/mail", { schema: Mail })
 *   yield* mails.offer({ to: "bob", text: "hello" })
 *   yield* mails.consume(({ to }) => Effect.log(`sending to ${to}`))
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
  ): Effect.Effect<Queue<Uint8Array>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope>
  <A, I>(
    path: string,
    options: Options<A, I>
  ): Effect.Effect<Queue<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope>
} = <A, I>(path: string, options: BytesOptions | Options<A, I> = {}) =>
  Effect.map(makeQueue<A, I>(path, options, "curator", false), (queue): Queue<A> => {
    const offerAll = (items: ReadonlyArray<A>) => QueueOps.offer(queue, items, queue.naming.defaultPriority)
    return { ...makeConsumer(path, queue), offer: (item) => offerAll([item]), offerAll }
  })
