/**
 * The core of queues: items offered, and taken at most once. What is taken with a lock stands in `taking.ts`.
 */
import * as Printable from "@effect-zookeeper/protocol/Printable"
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { InvalidArgument, type OperationError } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { DataInvalid, type OutcomeUnknown, type RecipeError } from "../Errors.ts"
import { pause } from "./compareAndSet.ts"
import type { DataOf } from "./dataOf.ts"
import { entriesOf, type Entry, type Naming, type Places } from "./entries.ts"
import type { OnDisconnect } from "./holding.ts"
import { acrossSessions, isRenewed } from "./patience.ts"
import { inHand, watched } from "./watching.ts"
import { isAboutZnodes, type Witnesses } from "./witness.ts"

/** A queue, seen from within. */
export interface Store<A> {
  readonly zk: ZooKeeper.Service
  readonly places: Places
  readonly naming: Naming
  readonly data: DataOf<A>
  readonly witnesses: Witnesses
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
  store: Store<A>,
  items: ReadonlyArray<A>,
  priority: number
): Effect.fn.Return<void, OutcomeUnknown | RecipeError> {
  const { acl, data, naming, places, witnesses } = store
  if (items.length === 0) return
  if (store.maxItems !== undefined && items.length > store.maxItems) {
    const rule = `no more than the ${store.maxItems} of maxItems at once`
    return yield* new InvalidArgument({ argument: "items", value: `${items.length} items`, rule })
  }
  const path = ZnodePath.join(places.items, naming.prefix(priority))
  const encoded = yield* Effect.forEach(items, data.encode)
  const ops = encoded.map((data) => Op.create(path, { mode: "persistentSequential", data, acl }))
  while (true) {
    if (store.maxItems !== undefined) yield* awaitRoom(store, store.maxItems - items.length)
    const isDone = yield* witnesses.transact({ operation: "offer", path: places.items }, ops).pipe(
      Effect.as(true),
      Effect.catchTag("TransactionFailed", ({ error }) => {
        if (error._tag === "NoNode") return Effect.as(makeItems(store), false)
        // A counter that has come to its end (2^31 items) stays there: there is room for one item at a time.
        return isAboutZnodes(error) ? Effect.as(pause(100), false) : Effect.fail(error)
      })
    )
    if (isDone) return
  }
})

/** Waits until there are no more than `most` items. */
const awaitRoom = <A>(store: Store<A>, most: number): Effect.Effect<void, RecipeError> =>
  Effect.flatMap(size(store), (size) =>
    size <= most ? Effect.void : awaitItems(store, (names) => names.length <= most)
  )

// -----------------------------------------------------------------------------
// looking
// -----------------------------------------------------------------------------

/** How many there are; without listing them. */
export const size = <A>({ places, zk }: Store<A>): Effect.Effect<number, RecipeError> =>
  Effect.map(
    acrossSessions(zk, zk.stat(places.items)),
    Option.match({ onNone: () => 0, onSome: ({ numChildren }) => numChildren })
  )

/** The items, first come first. */
export const list = <A>({ naming, places, zk }: Store<A>): Effect.Effect<ReadonlyArray<Entry>, RecipeError> =>
  Effect.map(childrenOf(zk, places.items), (names) => entriesOf(names, naming))

/** The names of the children; none where there is no znode. */
export const childrenOf = (zk: ZooKeeper.Service, path: string): Effect.Effect<ReadonlyArray<string>, RecipeError> =>
  acrossSessions(zk, zk.getChildren(path)).pipe(Effect.catchTag("NoNode", () => Effect.succeed([])))

/** The first item, which stays. */
export const peek = Effect.fnUntraced(function* <A>(store: Store<A>): Effect.fn.Return<Option.Option<A>, TakeError> {
  const { data, places, zk } = store
  while (true) {
    const entries = yield* list(store)
    if (entries.length === 0) return Option.none()
    for (const { name } of entries) {
      const path = ZnodePath.join(places.items, name)
      const found = yield* find(zk, path)
      if (found !== undefined) return Option.some(yield* data.decode(path, found.data))
    }
  }
})

/** What stands at a path; undefined for nothing. */
export const find = (zk: ZooKeeper.Service, path: string) =>
  Effect.catchTag(acrossSessions(zk, zk.get(path)), "NoNode", () => Effect.undefined)

// -----------------------------------------------------------------------------
// taking at most once
// -----------------------------------------------------------------------------

/** The first item, if there is one. It is deleted, and whoever is interrupted meanwhile puts it back. */
export const poll = <A>(store: Store<A>): Effect.Effect<Option.Option<A>, TakeError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { data, places, zk } = store
      while (true) {
        const entry = yield* restore(next(store))
        if (entry === undefined) return Option.none()
        const path = ZnodePath.join(places.items, entry.name)
        const found = yield* restore(find(zk, path))
        if (found === undefined) continue
        // Before it is deleted: what cannot be read stays where it is, and is shown to whoever comes.
        const item = yield* Effect.tapError(restore(data.decode(path, found.data)), () =>
          Effect.sync(() => forget(store))
        )
        const isOurs = yield* inHand(restore, remove(store, path, found.stat.version), (isOurs) =>
          isOurs ? putBack(store, path, found.data) : Effect.void
        )
        if (isOurs) return Option.some(item)
      }
    })
  )

/** The first item, waited for. */
export const take = <A>(store: Store<A>): Effect.Effect<A, TakeError> =>
  Effect.flatMap(
    poll(store),
    Option.match({
      onNone: () => {
        const hasItems = (names: ReadonlyArray<string>) => names.some((name) => store.naming.parse(name) !== undefined)
        return Effect.flatMap(awaitItems(store, hasItems), () => take(store))
      },
      onSome: (item) => Effect.succeed(item)
    })
  )

/** Makes the next to come list anew. */
export const forget = <A>({ listed }: Store<A>): void => {
  if (listed !== undefined) listed.entries = []
}

/** The next item to try, of those listed before or of a new list; undefined when there are none. */
const next = <A>(store: Store<A>): Effect.Effect<Entry | undefined, RecipeError> =>
  Effect.suspend(() => {
    const { listed } = store
    const entry = listed?.entries.pop()
    if (entry !== undefined) return Effect.succeed(entry)
    return Effect.map(list(store), (entries) => {
      // From its end, which costs nothing.
      if (listed !== undefined) listed.entries = entries.slice(1).toReversed()
      return entries[0]
    })
  })

/** Deletes an item; false when somebody else has, or may have. */
const remove = <A>({ places, witnesses }: Store<A>, path: string, version: number) =>
  witnesses.transact({ operation: "take", path: places.items }, [Op.delete(path, { version })]).pipe(
    Effect.as(true),
    Effect.catchTag("TransactionFailed", ({ error }) => notTaken(path, error)),
    // Handed out to nobody, rather than twice: it may be gone.
    Effect.catchTag("OutcomeUnknown", () => Effect.succeed(false))
  )

const notTaken = (path: string, error: OperationError): Effect.Effect<false, DataInvalid | RecipeError> => {
  if (error._tag === "NotEmpty") return Effect.fail(new DataInvalid({ path, expected: "an item without children" }))
  return isAboutZnodes(error) ? Effect.succeed(false) : Effect.fail(error)
}

/** At its old place. By a witness: an item that is put back twice is handed out twice. */
const putBack = <A>(store: Store<A>, path: string, data: Uint8Array): Effect.Effect<void> => {
  const { acl, places, witnesses } = store
  const once: Effect.Effect<void, OutcomeUnknown | RecipeError> = witnesses
    .transact({ operation: "take", path: places.items }, [Op.create(path, { data, acl })])
    .pipe(
      Effect.catchTag("TransactionFailed", ({ error }) => {
        if (error._tag === "NoNode") return Effect.andThen(makeItems(store), once)
        // Nobody else makes a znode of this name, unless the queue was deleted and made anew.
        return isAboutZnodes(error) ? Effect.void : Effect.fail(error)
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
  store: Store<A>,
  wanted: (names: ReadonlyArray<string>) => boolean
): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.flatMap(watchChildren(store.zk, store.places.items, makeItems(store)), (seen) =>
      seen === undefined || wanted(seen.children) ? Effect.void : Effect.asVoid(Fiber.join(seen.changing))
    )
  ).pipe((waiting) => untilRenewed(store.zk, waiting))

/** The children and what comes of them; undefined when their parent had to be made first. */
export const watchChildren = (zk: ZooKeeper.Service, path: string, make: Effect.Effect<void, RecipeError>) =>
  watched(acrossSessions(zk, zk.getChildrenAndWatch(path))).pipe(
    Effect.catchTag("NoNode", () => Effect.as(make, undefined))
  )

/** Ends with the session too, if another follows. */
export const untilRenewed = (
  zk: ZooKeeper.Service,
  waiting: Effect.Effect<void, RecipeError>
): Effect.Effect<void, RecipeError> =>
  Effect.catch(waiting, (error) =>
    Effect.flatMap(isRenewed(zk, error), (renewed) => (renewed ? Effect.void : Effect.fail(error)))
  )

/** Makes what items stand in. */
export const makeItems = <A>(store: Store<A>): Effect.Effect<void, RecipeError> => makePlace(store, store.places.items)

/** Persistent, for a container that is reaped and made again would number from the start. */
export const makePlace = <A>({ acl, zk }: Store<A>, path: string): Effect.Effect<void, RecipeError> =>
  acrossSessions(zk, zk.createWithParents(path, { acl, parentAcl: acl })).pipe(
    // A parent that is reaped meanwhile is made at the next round.
    Effect.catchTag(["NodeExists", "NoNode"], () => Effect.void),
    Effect.asVoid
  )
