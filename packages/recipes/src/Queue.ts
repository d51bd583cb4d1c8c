/**
 * A queue that many put items into and many take from, first in first out.
 *
 * ```ts
 * const mails = yield* Queue.make("/queues/mail", { schema: Mail })
 * yield* mails.offer({ to: "bob", text: "hello" })
 * yield* mails.consume(send)
 * ```
 *
 * An item is taken in one of two ways, and all who take from a queue should do it in the same one:
 *
 * - `take` and `poll`: **at most once**. The item is deleted, and then handed out. Who dies in between, or while working on
 *   it, loses it.
 * - `consume`, `consumeOne` and `takeWithLock`: **at least once**. The item stays, with a mark beside it, until it is said to
 *   be done. Who dies gives it back with the session, and it is handed out again.
 *
 * **Guarantees**
 *
 * - An item is offered once, even when replies are lost: a marker znode tells what became of the transaction.
 * - `take` hands out no item twice, whatever replies are lost; a taker that is interrupted puts back what it had deleted.
 * - What `consume` runs is interrupted before another can get the item, as with a lock, and an item is deleted only by whom it
 *   is marked by: a former taker's `ack` is refused, also when its mark was deleted and another has taken the item since.
 * - With `maxAttempts`, an item that is taken so often and never done goes to the dead letters, once, whoever dies meanwhile.
 * - Items come by the order of their numbers, over the counter's wrap too.
 *
 * It does not guarantee an order among those who take at once, nor that an item which is given back is not overtaken. Where
 * the session ends between a request and its lost reply, an offer fails with `OutcomeUnknown`, and what `take` has asked for
 * counts as not taken and may be lost. Nor can it keep apart two items of the same name: where a queue is deleted and made
 * anew between the read of an item and the transaction that takes it, the names and versions begin again, and an item of the
 * new queue may be taken in the place of the one that was read, which is handed out. Delete a queue when nobody takes from
 * it. ZooKeeper is no place for many or large items: a list of all names has to fit into
 * one reply (`maxFrameSize`), some ten thousand items.
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
 * @category options
 * @since 0.1.0
 */
export interface BytesOptions {
  readonly schema?: undefined
  /** Names, places and data; see `Layout`. Default `curator`; `kazoo` for a PriorityQueue. */
  readonly layout?: Layout | undefined
  /**
   * Where the marks of those stand who work on an item: what Curator calls `lockPath`. Default: the path with `-taken` behind
   * it, and `taken` below it for `kazooLocking`.
   */
  readonly takenPath?: string | undefined
  /**
   * Who offers waits while there are so many items. Several that offer at once may go a little beyond. Default: there is room
   * for all.
   */
  readonly maxItems?: number | undefined
  /**
   * What a lost connection means for whom works on an item with a lock. `continue`, the default: nothing until the session is
   * in doubt. `stop`: the item is lost at once.
   */
  readonly onDisconnect?: OnDisconnect | undefined
  /**
   * How often an item is taken with a lock before it counts as one that nobody can finish: it is moved to `deadLetterPath`
   * then, in one transaction, by whoever would have taken it once more. A take counts whether its taker failed, was
   * interrupted, could not read the item, or died. At least 1. Default: as often as it takes.
   *
   * The count is the version of the item's data: taking an item writes its data anew, unchanged. So it outlives all
   * processes, and is the same for all who consume the queue. Consumers that are not ours take without counting, and so does
   * one that may not write the item. An item that is requeued begins anew.
   */
  readonly maxAttempts?: number | undefined
  /**
   * Where items go that were taken `maxAttempts` times: a queue of the same layout, to be opened with `make` like any other.
   * Only together with `maxAttempts`. Default: the path with `-dead` behind it.
   */
  readonly deadLetterPath?: string | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface Options<A, I> extends Omit<BytesOptions, "schema"> {
  readonly schema: Schema.Codec<A, I>
  /** How the encoded form becomes bytes. Default: JSON. */
  readonly codec?: ZNode.Codec<NoInfer<I>> | undefined
}

/**
 * What is done with the items of a queue, whatever their order is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Consumer<A> {
  readonly path: string
  /** How many items there are as the connected server has it, those that are worked on included. */
  readonly size: Effect.Effect<number, RecipeError>
  /** The first item, which stays. */
  readonly peek: Effect.Effect<Option.Option<A>, TakeError>
  /** The first item if there is one, at most once. */
  readonly poll: Effect.Effect<Option.Option<A>, TakeError>
  /** The first item, waited for, at most once. An item that cannot be read stays, and fails each take until it is deleted. */
  readonly take: Effect.Effect<A, TakeError>
  /**
   * The first item that nobody works on, waited for. Given back when the Scope closes, unless `ack` or `requeue` has been run.
   * Nothing is interrupted by a loss: race what you do with `taken.lost`.
   */
  readonly takeWithLock: Effect.Effect<Taken<A>, TakeError, Scope.Scope>
  /**
   * Waits for an item and runs the handler for it. Done when the handler succeeds; given back when it fails or is
   * interrupted. When the item is lost meanwhile the handler is interrupted, and `LockLost` reported.
   */
  readonly consumeOne: <B, E, R>(
    handler: (item: A) => Effect.Effect<B, E, R>
  ) => Effect.Effect<B, E | LockLost | TakeError, R>
  /** `consumeOne` for ever: goes on with the next item after a loss, and ends with the first failure of the handler. */
  readonly consume: <B, E, R>(handler: (item: A) => Effect.Effect<B, E, R>) => Effect.Effect<never, E | TakeError, R>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Queue<A> extends Consumer<A> {
  /** Puts an item at the end. Interrupted, it may still do so. */
  readonly offer: (item: A) => Effect.Effect<void, OfferError>
  /** Puts items at the end, one behind the other: all, or none. They share one request. */
  readonly offerAll: (items: ReadonlyArray<A>) => Effect.Effect<void, OfferError>
}

/**
 * What offering can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type OfferError = OutcomeUnknown | RecipeError

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A queue at a path, of bytes or of what a Schema says. Nothing is sent before it is used. The path is created then, with
 * containers above it.
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
