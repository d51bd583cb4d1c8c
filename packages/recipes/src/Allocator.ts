/**
 * Items divided among members: each item has one owner at a time, and all members agree on the assignment without asking a
 * server.
 *
 * The members are those of a `Party`. When none has come or gone for a while, each computes the same assignment of items
 * to members, gives up the items that it loses, and acquires a `Lock` for each item that it gets. Two members may see
 * different members for a moment; the locks keep them from owning the same item.
 *
 * **Guarantees**
 *
 * - No item is owned by two members at the same time: an effect under `whileAllocated` is interrupted before the lock of
 *   one of its items is given up and, when the session is in doubt, before another member can have it.
 * - Every item has an owner some time after the last change, if there is a member. A member does not give up the items
 *   that it keeps.
 * - The remaining members take over the items of a member that leaves or dies.
 *
 * It does not guarantee that an item has an owner at every moment, nor that it stays with its owner when members change:
 * the default assignment deals items out in turn. The limits of `Lock` apply here too; `held` gives the means for fenced
 * writes.
 *
 * @since 0.1.0
 */
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
import type { Held, OnDisconnect } from "./Held.ts"
import * as Allocation from "./internal/allocation.ts"
import type { AllocatorError, Assign } from "./internal/allocation.ts"
import { toBytes } from "./internal/shared/bytes.ts"
import { makeDataCodec } from "./internal/shared/dataCodec.ts"
import { type AclOptions, checkOptions, knownOptions } from "./internal/shared/options.ts"
import { checkPath, checkTimeout } from "./internal/shared/validate.ts"
import { type Found, makeCell, modify } from "./internal/values/compareAndSet.ts"
import * as Lock from "./Lock.ts"
import * as Party from "./Party.ts"

export type { AllocatorError, Assign } from "./internal/allocation.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends AclOptions, Party.JoinOptions {
  /**
   * The items to divide, the same for all members. Default: the set that is kept in ZooKeeper, which `add`, `remove` and
   * `update` change.
   */
  readonly items?: ReadonlyArray<string> | undefined
  /** Default `roundRobin`. */
  readonly assign?: Assign | undefined
  /** How long no member may have come or gone before items are divided. Numbers are milliseconds. Default 1 second. */
  readonly quiet?: Duration.Input | undefined
  /** The effect of a lost connection on the items; see `Lock`. Default `continue`. */
  readonly onDisconnect?: OnDisconnect | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * One member's part in dividing the items of a path. Use `whileAllocated` to work on them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Allocator {
  readonly path: string
  /** The id by which others know this member. */
  readonly id: string
  /** The present members; see `Party`. */
  readonly members: Effect.Effect<Party.Members>
  /** The items to divide, as the connected server has them. */
  readonly items: Effect.Effect<ReadonlyArray<string>, AllocatorError>
  /** The items that this member owns now, sorted. */
  readonly allocation: ReadonlyArray<string>
  /**
   * `allocation`, then each newer one. An item is given up without waiting for the readers of this stream: only
   * `whileAllocated` is waited for.
   */
  readonly changes: Stream.Stream<ReadonlyArray<string>, AllocatorError>
  /** The hold of an item that this member owns: a fencing token, and fenced transactions. None for other items. */
  readonly held: (item: string) => Option.Option<Held>
  /**
   * Runs the effect with the items that this member owns, whenever there are some. When they change, it is interrupted,
   * and begins anew with the new ones once its finalizers have run; no item is given up before that. When it ends by
   * itself, it runs again with the next allocation. Fails with the effect's own errors.
   */
  readonly whileAllocated: <A, E, R>(
    f: (items: ReadonlyArray<string>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<never, E | AllocatorError, R>
  /** Adds an item to the set that is kept in ZooKeeper. Fails with `InvalidArgument` if `items` were given. */
  readonly add: (item: string) => Effect.Effect<void, AtomicValue.ChangeError>
  /** Removes an item from the set. Fails with `InvalidArgument` if `items` were given. */
  readonly remove: (item: string) => Effect.Effect<void, AtomicValue.ChangeError>
  /**
   * Replaces the set by the result of `f`, which may run many times. Fails with `InvalidArgument` if `items` were given.
   */
  readonly update: (
    f: (items: ReadonlyArray<string>) => ReadonlyArray<string>
  ) => Effect.Effect<void, AtomicValue.ChangeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Joins the members that divide the items of a path, until the Scope closes. Returns when this member is there. Fails with
 * `MemberExists` if another session keeps the id, and with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Allocator } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const allocator = yield* Allocator.make("/shards", { items: ["a", "b", "c", "d"] })
 *   // Interrupted before an item is another member's, and begun anew with the rest.
 *   yield* allocator.whileAllocated((items) => Effect.andThen(Effect.log(items), Effect.never))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Allocator, Party.JoinError | AllocatorError, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const { acl, assign = roundRobin, onConflict, onDisconnect, expiryTimeout } = options
    // As they are at the call: joining waits for the network first.
    const data = toBytes(options.data ?? "")
    const quiet = (yield* checkTimeout(options.quiet, "quiet")) ?? 1000
    const shared = yield* sharedItems(path, acl)
    const given = options.items === undefined ? undefined : inOrder(options.items)
    const party = yield* Party.make(ZnodePath.join(path, "members"), { acl })
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
    const change = (
      operation: string,
      f: (items: ReadonlyArray<string>) => ReadonlyArray<string>,
      isIdempotent: boolean
    ) => (given === undefined ? shared.change(operation, f, isIdempotent) : Effect.fail(itemsAreGiven(path)))
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
      add: (item) => change("add", (items) => [...items, item], true),
      remove: (item) => change("remove", (items) => items.filter((other) => other !== item), true),
      update: (f) => change("update", f, false)
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

const known = knownOptions<Options>(
  {
    id: true,
    data: true,
    onConflict: true,
    expiryTimeout: true,
    items: true,
    assign: true,
    quiet: true,
    acl: true,
    onDisconnect: true
  },
  '{ items: ["a", "b"] }'
)

const Items = Schema.Array(Schema.String)

/** The set that is kept in ZooKeeper: a JSON array, as in aiozk. */
const sharedItems = Effect.fnUntraced(function* (allocator: string, acl: Options["acl"]) {
  const path = ZnodePath.join(allocator, "items")
  const value = yield* AtomicValue.make(path, { schema: Items, initial: [], acl })
  const cell = yield* makeCell(path, { acl })
  const { decode, encode } = makeDataCodec(Items)
  return {
    get: Effect.map(value.get, inOrder),
    changes: Stream.map(value.changes, ({ value }) => inOrder(value)),
    change: (operation: string, f: (items: ReadonlyArray<string>) => ReadonlyArray<string>, isIdempotent: boolean) => {
      const decide = Effect.fnUntraced(function* (found: Found) {
        const items = found === undefined ? [] : yield* decode(path, found.data)
        return { data: yield* encode(inOrder(f(inOrder(items)))), result: undefined }
      })
      return Effect.asVoid(modify(cell, operation, decide, { isIdempotent }))
    }
  }
})

/** A set, in the order that is the same for all members. */
const inOrder = (items: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(items)].toSorted()

const itemsAreGiven = (path: string) =>
  new InvalidArgument({ argument: "items", value: path, rule: "items that were given to make cannot be changed" })

/** The lock's name, which is a valid name of a znode for any item. */
const nameOf = (item: string): string => `item-${encodeURIComponent(item.replace(/\p{Surrogate}/gu, "\ufffd"))}`
