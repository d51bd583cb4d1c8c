/**
 * The core of queues: items offered, and taken at most once. What is taken with a lock stands in `takeWithLock.ts`.
 */
import * as Printable from "@effect-zookeeper/client/Printable"
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument, type OperationError } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { DataInvalid, type OutcomeUnknown, type RecipeError } from "../../Errors.ts"
import { sleepJittered } from "../values/compareAndSet.ts"
import type { DataCodec } from "../shared/dataCodec.ts"
import { parseEntries, type Entry, type EntryNaming, type QueuePaths } from "./entryFormat.ts"
import type { OnDisconnect } from "../locks/ownership.ts"
import { retryAcrossSessions, isSessionReplaced } from "../shared/retry.ts"
import { awaitDetached, watchScoped } from "../shared/watches.ts"
import { isStateConflict, type ExactlyOnce } from "../values/exactlyOnce.ts"

/** A queue, seen from within. */
export interface QueueContext<A> {
  readonly zk: ZooKeeper.Service
  readonly paths: QueuePaths
  readonly naming: EntryNaming
  readonly data: DataCodec<A>
  readonly exactlyOnce: ExactlyOnce
  readonly acl: ReadonlyArray<Acl.Acl> | undefined
  /** Undefined for any number. */
  readonly maxItems: number | undefined
  readonly onDisconnect: OnDisconnect
  /** Where items go that were taken so often and never done; undefined for nowhere. */
  readonly deadLetters: { readonly path: string; readonly maxAttempts: number } | undefined
  /** What was listed and not yet looked at, where that may be: an urgent item is in no list of the past. */
  readonly listed: { entries: Array<Entry> } | undefined
}

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
  while (true) {
    if (queue.maxItems !== undefined) yield* awaitRoom(queue, queue.maxItems - items.length)
    const isDone = yield* exactlyOnce.transact({ operation: "offer", path: paths.items }, ops).pipe(
      Effect.as(true),
      Effect.catchTag("TransactionFailed", ({ error }) => {
        if (error._tag === "NoNode") return Effect.as(createItemsParent(queue), false)
        // A counter that has come to its end (2^31 items) stays there: there is room for one item at a time.
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

/** How many there are; without listing them. */
export const size = <A>({ paths, zk }: QueueContext<A>): Effect.Effect<number, RecipeError> =>
  Effect.map(
    retryAcrossSessions(zk, zk.stat(paths.items)),
    Option.match({ onNone: () => 0, onSome: ({ numChildren }) => numChildren })
  )

/** The items, first come first. */
export const list = <A>({ naming, paths, zk }: QueueContext<A>): Effect.Effect<ReadonlyArray<Entry>, RecipeError> =>
  Effect.map(getChildrenOrNone(zk, paths.items), (names) => parseEntries(names, naming))

/** The names of the children; none where there is no znode. */
export const getChildrenOrNone = (
  zk: ZooKeeper.Service,
  path: string
): Effect.Effect<ReadonlyArray<string>, RecipeError> =>
  retryAcrossSessions(zk, zk.getChildren(path)).pipe(Effect.catchTag("NoNode", () => Effect.succeed([])))

/** The first item, which stays. */
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

/** What stands at a path; undefined for nothing. */
export const getOrUndefined = (zk: ZooKeeper.Service, path: string) =>
  Effect.catchTag(retryAcrossSessions(zk, zk.get(path)), "NoNode", () => Effect.undefined)

// -----------------------------------------------------------------------------
// taking at most once
// -----------------------------------------------------------------------------

/** The first item, if there is one. It is deleted, and whoever is interrupted meanwhile puts it back. */
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
        // Before it is deleted: what cannot be read stays where it is, and is shown to whoever comes.
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

/** The first item, waited for. */
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

/** Makes the next to come list anew. */
export const forgetListed = <A>({ listed }: QueueContext<A>): void => {
  if (listed !== undefined) listed.entries = []
}

/** The next item to try, of those listed before or of a new list; undefined when there are none. */
const nextEntry = <A>(queue: QueueContext<A>): Effect.Effect<Entry | undefined, RecipeError> =>
  Effect.suspend(() => {
    const { listed } = queue
    const entry = listed?.entries.pop()
    if (entry !== undefined) return Effect.succeed(entry)
    return Effect.map(list(queue), (entries) => {
      // From its end, which costs nothing.
      if (listed !== undefined) listed.entries = entries.slice(1).toReversed()
      return entries[0]
    })
  })

/** Deletes an item; false when somebody else has, or may have. */
const deleteItem = <A>({ paths, exactlyOnce }: QueueContext<A>, path: string, version: number) =>
  exactlyOnce.transact({ operation: "take", path: paths.items }, [Op.delete(path, { version })]).pipe(
    Effect.as(true),
    Effect.catchTag("TransactionFailed", ({ error }) => explainRefusal(path, error)),
    // Handed out to nobody, rather than twice: it may be gone.
    Effect.catchTag("OutcomeUnknown", () => Effect.succeed(false))
  )

const explainRefusal = (path: string, error: OperationError): Effect.Effect<false, DataInvalid | RecipeError> => {
  if (error._tag === "NotEmpty") return Effect.fail(new DataInvalid({ path, expected: "an item without children" }))
  return isStateConflict(error) ? Effect.succeed(false) : Effect.fail(error)
}

/** At its old place. Exactly once: an item that is put back twice is handed out twice. */
const putBack = <A>(queue: QueueContext<A>, path: string, data: Uint8Array): Effect.Effect<void> => {
  const { acl, paths, exactlyOnce } = queue
  const once: Effect.Effect<void, OutcomeUnknown | RecipeError> = exactlyOnce
    .transact({ operation: "take", path: paths.items }, [Op.create(path, { data, acl })])
    .pipe(
      Effect.catchTag("TransactionFailed", ({ error }) => {
        if (error._tag === "NoNode") return Effect.andThen(createItemsParent(queue), once)
        // Nobody else makes a znode of this name, unless the queue was deleted and made anew.
        return isStateConflict(error) ? Effect.void : Effect.fail(error)
      })
    )
  return Effect.catch(once, (error) =>
    Effect.logWarning(
      `${Printable.escape(path)} was taken for nobody, and may not have been put back: ${error.message}`
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
  ).pipe((waiting) => untilSessionReplaced(queue.zk, waiting))

/** The children and what comes of them; undefined when their parent had to be made first. */
export const watchChildren = (zk: ZooKeeper.Service, path: string, make: Effect.Effect<void, RecipeError>) =>
  watchScoped(retryAcrossSessions(zk, zk.getChildrenAndWatch(path))).pipe(
    Effect.catchTag("NoNode", () => Effect.as(make, undefined))
  )

/** Ends with the session too, if another follows. */
export const untilSessionReplaced = (
  zk: ZooKeeper.Service,
  waiting: Effect.Effect<void, RecipeError>
): Effect.Effect<void, RecipeError> =>
  Effect.catch(waiting, (error) =>
    Effect.flatMap(isSessionReplaced(zk, error), (isReplaced) => (isReplaced ? Effect.void : Effect.fail(error)))
  )

/** Makes what items stand in. */
export const createItemsParent = <A>(queue: QueueContext<A>): Effect.Effect<void, RecipeError> =>
  createParent(queue, queue.paths.items)

/** Persistent, for a container that is reaped and made again would number from the start. */
export const createParent = <A>({ acl, zk }: QueueContext<A>, path: string): Effect.Effect<void, RecipeError> =>
  retryAcrossSessions(zk, zk.createWithParents(path, { acl, parentAcl: acl })).pipe(
    // A parent that is reaped meanwhile is made at the next round.
    Effect.catchTag(["NodeExists", "NoNode"], () => Effect.void),
    Effect.asVoid
  )
