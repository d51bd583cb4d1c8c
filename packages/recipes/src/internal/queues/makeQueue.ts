/**
 * Makes queues, with priorities and without, from the options.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZNode from "@effect-zookeeper/client/ZNode"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { LockLost, RecipeError } from "../../Errors.ts"
import type { OnDisconnect } from "../../Held.ts"
import { overloaded } from "../shared/dataCodec.ts"
import { type AclOptions, checkOptions, knownOptions } from "../shared/options.ts"
import { checkCount, checkPath } from "../shared/validate.ts"
import * as ExactlyOnce from "../values/exactlyOnce.ts"
import { itemCodec, type Layout, namingFor, queuePaths } from "./entryFormat.ts"
import { peek, poll, size, type QueueContext, take, type TakeError } from "./queueOps.ts"
import { consume, consumeOne, type Taken, takeWithLock } from "./takeWithLock.ts"

/**
 * Options of a queue of bytes.
 *
 * @category options
 * @since 0.1.0
 */
export interface BytesOptions extends AclOptions {
  readonly schema?: undefined
  /** Names, paths and data; see `Layout`. Default `curator`; `kazoo` for a PriorityQueue. */
  readonly layout?: Layout | undefined
  /**
   * The path for the locks of items that are being worked on: Curator's `lockPath`. Default: the path with `-taken` behind
   * it, and `taken` below it for `kazooLocking`. A znode there with the name of an item keeps every consumer from it, also
   * a persistent one, for locks have these names in all layouts: such an item waits until somebody deletes the znode.
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

/** Checks the options. */
export const makeQueue = Effect.fnUntraced(function* <A, I>(
  path: string,
  options: BytesOptions | Options<A, I>,
  defaultLayout: Layout,
  hasPriorities: boolean
): Effect.fn.Return<QueueContext<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  yield* checkOptions(known, options)
  const { acl, deadLetterPath, maxAttempts, maxItems, onDisconnect, takenPath } = options
  const layout = options.layout ?? defaultLayout
  const zk = yield* ZooKeeper.ZooKeeper
  yield* checkPath(path)
  if (takenPath !== undefined) yield* checkPath(takenPath)
  const paths = queuePaths(layout, path, takenPath)
  const dead = yield* checkDeadLetterPath(path, deadLetterPath, maxAttempts)
  return {
    zk,
    paths,
    naming: namingFor(layout, hasPriorities),
    data: itemCodec(layout, overloaded<A, I>(options)),
    exactlyOnce: yield* ExactlyOnce.make(zk, paths.markers, acl),
    acl,
    maxItems: yield* checkCount("maxItems", maxItems),
    onDisconnect: onDisconnect ?? "continue",
    deadLetters:
      maxAttempts === undefined
        ? undefined
        : {
            path: queuePaths(layout, dead, undefined).items,
            maxAttempts: yield* checkCount("maxAttempts", maxAttempts, { most: 1_000_000_000 })
          },
    listed: hasPriorities ? undefined : { entries: [] }
  }
})

/** The members that all queues share. */
export const makeConsumer = <A>(path: string, queue: QueueContext<A>): Consumer<A> => ({
  path,
  size: size(queue),
  peek: peek(queue),
  poll: poll(queue),
  take: take(queue),
  takeWithLock: takeWithLock(queue),
  consumeOne: (handler) => consumeOne(queue, handler),
  consume: (handler) => consume(queue, handler)
})

// ---- internal

const known = knownOptions<Options<unknown, unknown>>(
  {
    layout: true,
    takenPath: true,
    maxItems: true,
    maxAttempts: true,
    deadLetterPath: true,
    onDisconnect: true,
    acl: true,
    schema: true,
    codec: true
  },
  "{ schema: Schema.String }"
)

const checkDeadLetterPath = (path: string, asked: string | undefined, maxAttempts: number | undefined) => {
  const invalid = (rule: string) =>
    Effect.fail(new InvalidArgument({ argument: "deadLetterPath", value: String(asked), rule }))
  if (asked === undefined) return Effect.succeed(`${path}-dead`)
  if (maxAttempts === undefined) return invalid("it has no effect without maxAttempts: set that too, or leave it out")
  if (asked === path) return invalid("another path than the queue's own")
  return checkPath(asked)
}
