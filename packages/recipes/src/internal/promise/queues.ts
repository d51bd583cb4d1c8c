/**
 * The Promise APIs of queues. They are declared member by member, because items are the application's and must be given as
 * they are.
 */
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import { type CallOptions, type Promised, Opaque } from "@effect-zookeeper/client/PromiseAdapter"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PriorityQueue from "../../PriorityQueue.ts"
import * as Queue from "../../Queue.ts"
import { acquireReleasable, guardedCallback, type Releasable, makeSync } from "./adapt.ts"

/**
 * An item that is being worked on; given back by `release()` or `await using`, unless `ack()` or `requeue()` was called.
 * Both reject with `LockLost` when the item is no longer ours.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseTaken<A> extends Omit<Promised<Queue.Taken<A>>, "item"> {
  readonly item: A
}

/**
 * Works on an item. The signal is aborted when the item is lost, or the call is aborted.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler<A, B> = (input: { readonly item: A; readonly signal: AbortSignal }) => PromiseLike<B> | B

/**
 * The consumer's side of a queue; see `Queue`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseConsumer<A> {
  readonly path: string
  /** The number of items, including those that are being worked on. */
  readonly size: (call?: CallOptions) => Promise<number>
  /** The first item, without taking it. Rejects with `DataInvalid` if it cannot be decoded. */
  readonly peek: (call?: CallOptions) => Promise<A | undefined>
  /** Takes the first item if there is one, at most once. Rejects with `DataInvalid` if it cannot be decoded. */
  readonly poll: (call?: CallOptions) => Promise<A | undefined>
  /** Waits for the first item and takes it, at most once. Rejects with `DataInvalid` if it cannot be decoded. */
  readonly take: (call?: CallOptions) => Promise<A>
  /** Waits for the first free item and takes it, until it is released. */
  readonly takeWithLock: (call?: CallOptions) => Promise<Releasable<PromiseTaken<A>>>
  /** Waits for an item and calls the handler for it. Rejects with `LockLost` after a loss, and as the handler does. */
  readonly consumeOne: <B>(handler: Handler<A, B>, call?: CallOptions) => Promise<B>
  /** Repeats `consumeOne` until the handler rejects, or the call is aborted. Goes on after the loss of an item. */
  readonly consume: <B>(handler: Handler<A, B>, call?: CallOptions) => Promise<never>
}

/**
 * See `Queue`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseQueue<A> extends PromiseConsumer<A> {
  /** Puts an item at the end. Rejects with `OutcomeUnknown` if the session ends before the reply. */
  readonly offer: (item: A, call?: CallOptions) => Promise<void>
  /** Puts items at the end, all or none. Rejects with `OutcomeUnknown` if the session ends before the reply. */
  readonly offerAll: (items: ReadonlyArray<A>, call?: CallOptions) => Promise<void>
}

/**
 * See `PriorityQueue`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromisePriorityQueue<A> extends PromiseConsumer<A> {
  /**
   * Puts an item behind those that are as urgent; lower numbers are more urgent. Rejects with `OutcomeUnknown` if the
   * session ends before the reply.
   */
  readonly offer: (item: A, priority?: number, call?: CallOptions) => Promise<void>
  /** Puts items there, all or none. Rejects with `OutcomeUnknown` if the session ends before the reply. */
  readonly offerAll: (items: ReadonlyArray<A>, priority?: number, call?: CallOptions) => Promise<void>
}

/** The recipes for queues. */
export interface QueueRecipes {
  /** See `PriorityQueue.make`. */
  readonly priorityQueue: {
    (path: string, options?: PriorityQueue.BytesOptions): PromisePriorityQueue<Uint8Array>
    <A, I>(path: string, options: PriorityQueue.Options<A, I>): PromisePriorityQueue<A>
  }
  /** See `Queue.make`. */
  readonly queue: {
    (path: string, options?: Queue.BytesOptions): PromiseQueue<Uint8Array>
    <A, I>(path: string, options: Queue.Options<A, I>): PromiseQueue<A>
  }
}

export const queueRecipes = (zk: PromiseClient): QueueRecipes => ({
  priorityQueue: <A, I>(path: string, options?: PriorityQueue.BytesOptions | PriorityQueue.Options<A, I>) => {
    // One of the two, as `make` tells them apart; so below.
    const queue = makeSync(zk, PriorityQueue.make(path, options as PriorityQueue.Options<A, I>))
    const queueFace: PromisePriorityQueue<A> = {
      ...promiseConsumer(zk, queue),
      offer: (item, priority, call) => zk.run(queue.offer(item, priority), call),
      offerAll: (items, priority, call) => zk.run(queue.offerAll(items, priority), call)
    }
    return queueFace as PromisePriorityQueue<A> & PromisePriorityQueue<Uint8Array>
  },
  queue: <A, I>(path: string, options?: Queue.BytesOptions | Queue.Options<A, I>) => {
    const queue = makeSync(zk, Queue.make(path, options as Queue.Options<A, I>))
    const queueFace: PromiseQueue<A> = {
      ...promiseConsumer(zk, queue),
      offer: (item, call) => zk.run(queue.offer(item), call),
      offerAll: (items, call) => zk.run(queue.offerAll(items), call)
    }
    return queueFace as PromiseQueue<A> & PromiseQueue<Uint8Array>
  }
})

const promiseConsumer = <A>(zk: PromiseClient, queue: Queue.Consumer<A>): PromiseConsumer<A> => {
  const handling = <B>(handler: Handler<A, B>) => {
    const handle = guardedCallback<{ readonly carried: OpaqueItem<A> }, B>(zk, ({ carried: { item }, signal }) =>
      handler({ item, signal })
    )
    return (item: A) => handle({ carried: new OpaqueItem(item) })
  }
  return {
    path: queue.path,
    size: (call) => zk.run(queue.size, call),
    peek: (call) => zk.run(Effect.map(queue.peek, Option.getOrUndefined), call),
    poll: (call) => zk.run(Effect.map(queue.poll, Option.getOrUndefined), call),
    take: (call) => zk.run(queue.take, call),
    takeWithLock: (call) => acquireReleasable(zk, queue.takeWithLock, call, ({ item }) => ({ item })),
    consumeOne: (handler, call) => zk.run(queue.consumeOne(handling(handler)), call),
    consume: (handler, call) => zk.run(queue.consume(handling(handler)), call)
  }
}

/** Keeps an item from being derived. */
class OpaqueItem<out A> extends Opaque {
  readonly item: A
  constructor(item: A) {
    super()
    this.item = item
  }
}
