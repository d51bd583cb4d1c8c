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
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZNode from "@effect-zookeeper/client/ZNode"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { LockLost, OutcomeUnknown, RecipeError } from "./Errors.ts"
import { type DataCodec, makeDataCodec } from "./internal/shared/dataCodec.ts"
import type { Layout } from "./internal/queues/entryFormat.ts"
import type { OnDisconnect } from "./internal/locks/ownership.ts"
import * as QueueOps from "./internal/queues/queueOps.ts"
import type { TakeError } from "./internal/queues/queueOps.ts"
import { makeConsumer, makeQueue } from "./internal/queues/makeQueue.ts"
import type { Taken } from "./internal/queues/takeWithLock.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

export type { Layout } from "./internal/queues/entryFormat.ts"
export type { TakeError } from "./internal/queues/queueOps.ts"
export type { Taken } from "./internal/queues/takeWithLock.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of a queue of bytes.
 *
 * @category options
 * @since 0.1.0
 */
export interface BytesOptions {
  readonly schema?: undefined
  /** Names, paths and data; see `Layout`. Default `curator`; `kazoo` for a PriorityQueue. */
  readonly layout?: Layout | undefined
  /**
   * The path for the locks of items that are being worked on: Curator's `lockPath`. Default: the path with `-taken` behind
   * it, and `taken` below it for `kazooLocking`.
   */
  readonly takenPath?: string | undefined
  /**
   * An offer waits while there are so many items. Several offers at the same time may exceed it a little. Default: no
   * limit.
   */
  readonly maxItems?: number | undefined
  /**
   * The effect of a lost connection on items that are taken with a lock. `continue`, the default: none until the session
   * is in doubt. `stop`: the item is lost at once.
   */
  readonly onDisconnect?: OnDisconnect | undefined
  /**
   * How often an item is taken with a lock before it moves to `deadLetterPath`, in one transaction, by the next client
   * that would take it. Each take counts, whether its taker failed, was interrupted, could not decode the item, or died.
   * At least 1. Default: no limit.
   *
   * The count is the version of the item's data: each take writes the data anew, unchanged. So it outlives all processes
   * and is the same for all consumers. Consumers of other libraries take without counting, and so do those without the
   * right to write the item. An item that is requeued begins anew.
   */
  readonly maxAttempts?: number | undefined
  /**
   * The path for items that were taken `maxAttempts` times: a queue of the same layout, which `make` opens like any other.
   * Only together with `maxAttempts`. Default: the path with `-dead` behind it.
   */
  readonly deadLetterPath?: string | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * Options of a queue of items with a Schema.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options<A, I> extends Omit<BytesOptions, "schema"> {
  readonly schema: Schema.Codec<A, I>
  /** How the encoded form becomes bytes. Default: JSON. */
  readonly codec?: ZNode.Codec<NoInfer<I>> | undefined
}

/**
 * The consumer's side of a queue, of either order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Consumer<A> {
  readonly path: string
  /** The number of items as the connected server has it, including those that are being worked on. */
  readonly size: Effect.Effect<number, RecipeError>
  /** The first item, without taking it. */
  readonly peek: Effect.Effect<Option.Option<A>, TakeError>
  /** Takes the first item if there is one, at most once. */
  readonly poll: Effect.Effect<Option.Option<A>, TakeError>
  /**
   * Waits for the first item and takes it, at most once. An item that cannot be decoded stays, and fails each take with
   * `DataInvalid` until it is deleted.
   */
  readonly take: Effect.Effect<A, TakeError>
  /**
   * Waits for the first free item and takes it. It is given back when the Scope closes, unless `ack` or `requeue` has been
   * run. A loss interrupts nothing: race your work with `taken.lost`.
   */
  readonly takeWithLock: Effect.Effect<Taken<A>, TakeError, Scope.Scope>
  /**
   * Waits for an item and runs the handler for it. The item is finished when the handler succeeds, and given back when it
   * fails or is interrupted. If the item is lost meanwhile, the handler is interrupted, and the call fails with
   * `LockLost`.
   */
  readonly consumeOne: <B, E, R>(
    handler: (item: A) => Effect.Effect<B, E, R>
  ) => Effect.Effect<B, E | LockLost | TakeError, R>
  /**
   * Repeats `consumeOne` forever: goes on with the next item after a loss, and fails with the first failure of the
   * handler.
   */
  readonly consume: <B, E, R>(handler: (item: A) => Effect.Effect<B, E, R>) => Effect.Effect<never, E | TakeError, R>
}

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
  Known.invalidOptions(Known.queue, options) ??
  (options.schema === undefined
    ? makeWith(path, makeDataCodec(Schema.Uint8Array, ZNode.bytes), options)
    : makeWith(path, makeDataCodec(options.schema, options.codec), options))

// ---- internal

const makeWith = <A>(path: string, data: DataCodec<A>, options: Omit<BytesOptions, "schema">) =>
  Effect.map(makeQueue(path, options.layout ?? "curator", false, data, options), (queue): Queue<A> => {
    const offerAll = (items: ReadonlyArray<A>) => QueueOps.offer(queue, items, queue.naming.defaultPriority)
    return { ...makeConsumer(path, queue), offer: (item) => offerAll([item]), offerAll }
  })
