/**
 * The core of queues: offering, and taking at most once. Taking with a lock is in `takeWithLock.ts`.
 */
import { awaitDetached, watchScoped } from "@effect-zookeeper/client/Detached"
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument, type OperationError } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { DataInvalid, type OutcomeUnknown, type RecipeError } from "../../Errors.ts"
import type { OnDisconnect } from "../../Held.ts"
import { makeBackoff, sleepJittered, untilDefined } from "../shared/backoff.ts"
import type { DataCodec } from "../shared/dataCodec.ts"
import type { AclOptions } from "../shared/options.ts"
import { createIfMissing, getChildrenOrNone, getOrUndefined, isStateConflict } from "../shared/requests.ts"
import { orIfSessionReplaced, retryAcrossSessions } from "../shared/retry.ts"
import type { ExactlyOnce } from "../values/exactlyOnce.ts"
import { parseEntries, type Entry, type EntryNaming, type QueuePaths } from "./entryFormat.ts"

/** A queue, for use within recipes. */
export interface QueueContext<A> {
  readonly zk: ZooKeeper.Service
  readonly paths: QueuePaths
  readonly naming: EntryNaming
  readonly data: DataCodec<A>
  readonly exactlyOnce: ExactlyOnce
  readonly acl: AclOptions["acl"]
  /** Undefined for no limit. */
  readonly maxItems: number | undefined
  readonly onDisconnect: OnDisconnect
  /** The path for items that were taken `maxAttempts` times; undefined for none. */
  readonly deadLetters: { readonly path: string; readonly maxAttempts: number } | undefined
  /**
   * Entries of the last list that were not tried yet; undefined with priorities, where an old list may lack an urgent
   * item.
   */
  readonly listed: { entries: Array<Entry> } | undefined
}

/**
 * Errors of taking items; `DataInvalid` for an item that cannot be decoded.
 *
 * @category errors
 * @since 0.1.0
 */
export type TakeError = DataInvalid | RecipeError

// -----------------------------------------------------------------------------
// offering
// -----------------------------------------------------------------------------

/** Puts items at the end of those of their priority: all of them, one after the other, or none. */
export const offer = Effect.fnUntraced(function* <A>(
  queue: QueueContext<A>,
  items: ReadonlyArray<A>,
  priority: number
): Effect.fn.Return<void, OutcomeUnknown | RecipeError> {
  const { acl, data, naming, paths, exactlyOnce } = queue
  if (items.length === 0) return
  if (queue.maxItems !== undefined && items.length > queue.maxItems) {
    const rule = `no more than the ${queue.maxItems} of maxItems at once`
    return yield* new InvalidArgument({ argument: "items", value: `${items.length} items`, rule })
  }
  const path = ZnodePath.join(paths.items, naming.prefix(priority))
  const encoded = yield* Effect.forEach(items, data.encode)
  const ops = encoded.map((data) => Op.create(path, { mode: "persistentSequential", data, acl }))
  const backoff = yield* makeBackoff
  while (true) {
    if (queue.maxItems !== undefined) yield* awaitRoom(queue, queue.maxItems - items.length)
    const isDone = yield* exactlyOnce.transact({ operation: "offer", path: paths.items }, ops).pipe(
      Effect.as(true),
      Effect.catchTag("TransactionFailed", ({ error }) => {
        if (error._tag === "NoNode") return Effect.as(Effect.andThen(backoff, createItemsParent(queue)), false)
        // A counter at its end (2^31 items) stays there: then there is room for one item at a time.
        return isStateConflict(error) ? Effect.as(sleepJittered(100), false) : Effect.fail(error)
      })
    )
    if (isDone) return
  }
})

/** Waits until there are no more than `most` items. */
const awaitRoom = <A>(queue: QueueContext<A>, most: number): Effect.Effect<void, RecipeError> =>
  Effect.flatMap(size(queue), (size) =>
    size <= most ? Effect.void : awaitItems(queue, (names) => names.length <= most)
  )

// -----------------------------------------------------------------------------
// looking
// -----------------------------------------------------------------------------

/** The number of items, by the Stat and without a list. */
export const size = <A>({ paths, zk }: QueueContext<A>): Effect.Effect<number, RecipeError> =>
  Effect.map(
    retryAcrossSessions(zk, zk.stat(paths.items)),
    Option.match({ onNone: () => 0, onSome: ({ numChildren }) => numChildren })
  )

/** The items, in queue order. */
export const list = <A>({ naming, paths, zk }: QueueContext<A>): Effect.Effect<ReadonlyArray<Entry>, RecipeError> =>
  Effect.map(getChildrenOrNone(zk, paths.items), (names) => parseEntries(names, naming))

/** The first item, without taking it. */
export const peek = Effect.fnUntraced(function* <A>(
  queue: QueueContext<A>
): Effect.fn.Return<Option.Option<A>, TakeError> {
  const { data, paths, zk } = queue
  while (true) {
    const entries = yield* list(queue)
    if (entries.length === 0) return Option.none()
    for (const { name } of entries) {
      const path = ZnodePath.join(paths.items, name)
      const found = yield* getOrUndefined(zk, path)
      if (found !== undefined) return Option.some(yield* data.decode(path, found.data))
    }
  }
})

// -----------------------------------------------------------------------------
// taking at most once
// -----------------------------------------------------------------------------

/** The first item, if there is one. It is deleted; an interruption after that puts it back. */
export const poll = <A>(queue: QueueContext<A>): Effect.Effect<Option.Option<A>, TakeError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { data, paths, zk } = queue
      while (true) {
        const entry = yield* restore(nextEntry(queue))
        if (entry === undefined) return Option.none()
        const path = ZnodePath.join(paths.items, entry.name)
        const found = yield* restore(getOrUndefined(zk, path))
        if (found === undefined) continue
        // Before the delete: an item that cannot be decoded stays, and fails each take.
        const item = yield* Effect.tapError(restore(data.decode(path, found.data)), () =>
          Effect.sync(() => forgetListed(queue))
        )
        const isOurs = yield* awaitDetached(restore, deleteItem(queue, path, found.stat.version), (isOurs) =>
          isOurs ? putBack(queue, path, found.data) : Effect.void
        )
        if (isOurs) return Option.some(item)
      }
    })
  )

/** Waits for the first item, and takes it. */
export const take = <A>(queue: QueueContext<A>): Effect.Effect<A, TakeError> =>
  Effect.flatMap(
    poll(queue),
    Option.match({
      onNone: () => {
        const hasItems = (names: ReadonlyArray<string>) => names.some((name) => queue.naming.parse(name) !== undefined)
        return Effect.flatMap(awaitItems(queue, hasItems), () => take(queue))
      },
      onSome: (item) => Effect.succeed(item)
    })
  )

/** Makes the next take list the items again. */
export const forgetListed = <A>({ listed }: QueueContext<A>): void => {
  if (listed !== undefined) listed.entries = []
}

/** The next item to try, of the last list or of a new one; undefined when there are none. */
const nextEntry = <A>(queue: QueueContext<A>): Effect.Effect<Entry | undefined, RecipeError> =>
  Effect.suspend(() => {
    const { listed } = queue
    const entry = listed?.entries.pop()
    if (entry !== undefined) return Effect.succeed(entry)
    return Effect.map(list(queue), (entries) => {
      // From the end of the array, which costs nothing.
      if (listed !== undefined) listed.entries = entries.slice(1).toReversed()
      return entries[0]
    })
  })

/** Deletes an item; false when another client has, or may have. */
const deleteItem = <A>({ paths, exactlyOnce }: QueueContext<A>, path: string, version: number) =>
  exactlyOnce.transact({ operation: "take", path: paths.items }, [Op.delete(path, { version })]).pipe(
    Effect.as(true),
    Effect.catchTag("TransactionFailed", ({ error }) => explainRefusal(path, error)),
    // Not handed out, rather than twice: it may be gone.
    Effect.catchTag("OutcomeUnknown", () => Effect.succeed(false))
  )

const explainRefusal = (path: string, error: OperationError): Effect.Effect<false, DataInvalid | RecipeError> => {
  if (error._tag === "NotEmpty") return Effect.fail(new DataInvalid({ path, expected: "an item without children" }))
  return isStateConflict(error) ? Effect.succeed(false) : Effect.fail(error)
}

/** At its old place. Exactly once, because an item that is put back twice is handed out twice. */
const putBack = <A>(queue: QueueContext<A>, path: string, data: Uint8Array): Effect.Effect<void> => {
  const { acl, paths, exactlyOnce } = queue
  const once = exactlyOnce.transact({ operation: "take", path: paths.items }, [Op.create(path, { data, acl })]).pipe(
    Effect.as(true),
    Effect.catchTag("TransactionFailed", ({ error }) => {
      if (error._tag === "NoNode") return Effect.as(createItemsParent(queue), undefined)
      // No other client creates this name, unless the queue was deleted and created again.
      return isStateConflict(error) ? Effect.succeed(true) : Effect.fail(error)
    })
  )
  return untilDefined(once).pipe(
    Effect.asVoid,
    Effect.catch((error) =>
      Effect.logWarning(
        `${Printable.escape(path)} was deleted by a take that was interrupted, and may not have been put back: ${error.message}`
      )
    )
  )
}

// -----------------------------------------------------------------------------
// waiting
// -----------------------------------------------------------------------------

/** Waits until the children of the queue are as wanted, or have changed. */
const awaitItems = <A>(
  queue: QueueContext<A>,
  wanted: (names: ReadonlyArray<string>) => boolean
): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.flatMap(watchChildren(queue.zk, queue.paths.items, createItemsParent(queue)), (list) =>
      list === undefined || wanted(list.children) ? Effect.void : Effect.asVoid(Fiber.join(list.nextChange))
    )
  ).pipe((waiting) => orIfSessionReplaced(queue.zk, waiting, undefined))

/** The children, with a watch; undefined when their parent had to be created first. */
export const watchChildren = (zk: ZooKeeper.Service, path: string, make: Effect.Effect<void, RecipeError>) =>
  retryAcrossSessions(zk, watchScoped(zk.getChildrenAndWatch(path))).pipe(
    Effect.catchTag("NoNode", () => Effect.as(make, undefined))
  )

/** Creates the parent of the items. */
export const createItemsParent = <A>({ acl, paths, zk }: QueueContext<A>): Effect.Effect<void, RecipeError> =>
  // Persistent: a container that is reaped and created again would number from the start.
  createIfMissing(zk, paths.items, { acl })
