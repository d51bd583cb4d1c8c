/**
 * Items divided among members: each item has one owner at a time, and all agree whose turn it is without asking anybody.
 *
 * ```ts
 * const allocator = yield* Allocator.make("/shards", { items: ["a", "b", "c", "d"] })
 * yield* allocator.whileAllocated((items) => process(items))
 * ```
 *
 * Members are those of a `Party`. When nobody has come or gone for a while each computes the same assignment of items to
 * members, gives up what is no longer its own, and acquires a `Lock` for each item that is. The locks are what keeps two
 * members, who may see different members for a moment, from owning one item.
 *
 * **Guarantees**
 *
 * - No item is owned by two members at one time: what runs under `whileAllocated` is interrupted before the lock of an item
 *   that it has is given up, and, when the session is in doubt, before another can have it.
 * - Every item has an owner some time after the last change, if there is a member; what a member keeps it does not give up
 *   in between.
 * - Whoever leaves or dies is replaced by those who are left.
 *
 * It does not guarantee that an item has an owner at every moment, nor that it stays with its owner when members change: the
 * default assignment deals items out in turn. And all that `Lock` does not guarantee holds here too; `held` gives what a
 * fenced write needs.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as AtomicValue from "./AtomicValue.ts"
import type { DataInvalid, RecipeError } from "./Errors.ts"
import type { Held } from "./Held.ts"
import * as Allocation from "./internal/allocation.ts"
import { checkPath, checkTimeout } from "./internal/shared/validate.ts"
import type { OnDisconnect } from "./internal/locks/ownership.ts"
import * as Lock from "./Lock.ts"
import * as Party from "./Party.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Says whose items are whose. All members have to say the same of the same: it must look at nothing but its arguments,
 * which are sorted, and give each item to one member at most.
 *
 * @category models
 * @since 0.1.0
 */
export type Assign = (
  members: ReadonlyArray<string>,
  items: ReadonlyArray<string>
) => ReadonlyMap<string, ReadonlyArray<string>>

/**
 * @category options
 * @since 0.1.0
 */
export interface Options extends Pick<Party.JoinOptions, "id" | "data" | "onConflict" | "expiryTimeout"> {
  /**
   * What is divided, the same for all members. Default: the set that is kept in ZooKeeper, which `add`, `remove` and
   * `update` change.
   */
  readonly items?: ReadonlyArray<string> | undefined
  /** Default `roundRobin`. */
  readonly assign?: Assign | undefined
  /** How long nobody may have come or gone before items are divided. Default a second. Numbers are milliseconds. */
  readonly quiet?: Duration.Input | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /** What a lost connection means for the items; see `Lock`. Default `continue`. */
  readonly onDisconnect?: OnDisconnect | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What can end an allocator, and whatever runs under it.
 *
 * @category errors
 * @since 0.1.0
 */
export type AllocatorError = RecipeError | DataInvalid

/**
 * @category models
 * @since 0.1.0
 */
export interface Allocator {
  readonly path: string
  /** What others know this member by. */
  readonly id: string
  /** Who is there; see `Party`. */
  readonly members: Effect.Effect<Party.Members>
  /** What is divided, as the connected server has it. */
  readonly items: Effect.Effect<ReadonlyArray<string>, AllocatorError>
  /** The items that are owned here at the moment, sorted. */
  readonly allocation: ReadonlyArray<string>
  /**
   * `allocation`, then each newer one. Items are given up without asking who reads this whether he has stopped to use them:
   * `whileAllocated` is asked.
   */
  readonly changes: Stream.Stream<ReadonlyArray<string>, AllocatorError>
  /** What is held of an item that is owned here: a token, and fenced transactions. */
  readonly held: (item: string) => Option.Option<Held>
  /**
   * Runs the effect with the items that are owned here, whenever there are some. When they change it is interrupted, and
   * begun anew with the others once its finalizers have run; nothing is given up before that. When it ends by itself it is
   * begun again with the next allocation. Fails with what it fails with.
   */
  readonly whileAllocated: <A, E, R>(
    f: (items: ReadonlyArray<string>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<never, E | AllocatorError, R>
  /** Puts an item into the set that is kept in ZooKeeper. Fails with `InvalidArgument` where `items` were given. */
  readonly add: (item: string) => Effect.Effect<void, AtomicValue.ChangeError>
  /** Takes an item out of the set. */
  readonly remove: (item: string) => Effect.Effect<void, AtomicValue.ChangeError>
  /** Replaces the set by what `f` makes of it. `f` may run many times. */
  readonly update: (
    f: (items: ReadonlyArray<string>) => ReadonlyArray<string>
  ) => Effect.Effect<void, AtomicValue.ChangeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Joins those who divide the items of a path, until the Scope closes. Returns when this member is there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Allocator, Party.JoinError | AllocatorError, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.allocator, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const { acl, assign = roundRobin, onDisconnect } = options
    const quiet = (yield* checkTimeout(options.quiet, "quiet")) ?? 1000
    const shared = yield* sharedItems(path, acl)
    const given = options.items === undefined ? undefined : inOrder(options.items)
    const party = yield* Party.make(ZnodePath.join(path, "members"), { acl })
    const { data, onConflict, expiryTimeout } = options
    const { id } = yield* party.join({ id: options.id, data, onConflict, expiryTimeout })
    const allocation = yield* Allocation.make({
      id,
      assign,
      members: Stream.map(party.settled(quiet), (members) => [...members.keys()].toSorted()),
      items: given === undefined ? shared.changes : Stream.concat(Stream.make(given), Stream.never),
      closing: zk.session.closing.begun,
      lockOf: (item) =>
        Lock.make(ZnodePath.join(ZnodePath.join(path, "locks"), nameOf(item)), {
          acl,
          onDisconnect,
          identifier: id
        }).pipe(Effect.provideService(ZooKeeper.ZooKeeper, zk))
    })
    const update = (f: (items: ReadonlyArray<string>) => ReadonlyArray<string>) =>
      given === undefined ? shared.update(f) : Effect.fail(itemsAreGiven(path))
    const repeat = (f: (items: ReadonlyArray<string>) => ReadonlyArray<string>) =>
      // Done twice it is done once: where a reply was lost it is done again.
      Effect.retry(update(f), { while: ({ _tag }) => _tag === "OutcomeUnknown" })
    return {
      path,
      id,
      members: party.members,
      items: given === undefined ? shared.get : Effect.succeed(given),
      get allocation() {
        return allocation.allocation()
      },
      changes: allocation.changes,
      held: allocation.held,
      whileAllocated: allocation.whileAllocated,
      add: (item) => repeat((items) => [...items, item]),
      remove: (item) => repeat((items) => items.filter((other) => other !== item)),
      update
    }
  })

/**
 * Deals the items out to the members in turn.
 *
 * @category assignments
 * @since 0.1.0
 */
export const roundRobin: Assign = (members, items) =>
  new Map(members.map((member, turn) => [member, items.filter((_, index) => index % members.length === turn)]))

// ---- internal

const Items = Schema.Array(Schema.String)

/** The set that is kept in ZooKeeper: a JSON array, as aiozk means to write it. */
const sharedItems = Effect.fnUntraced(function* (path: string, acl: Options["acl"]) {
  const value = yield* AtomicValue.make(ZnodePath.join(path, "items"), { schema: Items, initial: [], acl })
  return {
    get: Effect.map(value.get, inOrder),
    changes: Stream.map(value.changes, ({ value }) => inOrder(value)),
    update: (f: (items: ReadonlyArray<string>) => ReadonlyArray<string>) =>
      Effect.asVoid(value.update((items) => inOrder(f(inOrder(items)))))
  }
})

/** A set, in the order that all members have it in. */
const inOrder = (items: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(items)].toSorted()

const itemsAreGiven = (path: string) =>
  new InvalidArgument({ argument: "items", value: path, rule: "items that were given to make cannot be changed" })

/** Whatever an item is called, its lock has a name that a znode can have. */
const nameOf = (item: string): string => `item-${encodeURIComponent(item.replace(/\p{Surrogate}/gu, "\ufffd"))}`
