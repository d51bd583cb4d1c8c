/**
 * Who is there: a group whose members are found under a path, each with data of its own.
 *
 * ```ts
 * const party = yield* Party.make("/workers")
 * const member = yield* party.join({ id: "worker-7", data: "10.0.0.7:8080" })
 * const all = yield* party.members
 * ```
 *
 * **Guarantees**
 *
 * - When `join` has returned the member is there, and this client's own view shows it; it comes back under each session
 *   that follows. When its Scope closes it leaves.
 * - One who has joined finds itself among the members, whatever the servers show for the moment.
 * - Whoever dies is gone when its session has expired, and others see it leave once and, if it comes back, join once.
 * - Two who have one id are never taken for one: the later one waits, is told, or gets another id, as it likes.
 *
 * It does not guarantee that all see the same members at the same time; `settled` waits until nothing has moved for a
 * while, which is what those need who divide work among members. Nor does a member that is cut off know that others have
 * seen it leave.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import type { Data, DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Freshness } from "./CacheEvent.ts"
import * as ChildrenCache from "./ChildrenCache.ts"
import { MemberExists, type RecipeError } from "./Errors.ts"
import { checkTimeout } from "./internal/checks.ts"
import { bytesOf } from "./internal/keeper.ts"
import * as PersistentNode from "./PersistentNode.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * How the znodes of members are named.
 *
 * - `curator`: by the id alone, as Curator's `GroupMember` has it; the default. An id is there once.
 * - `aiozk`: `<id>-<32 hex>-<number>`, of aiozk. Members are known by all but the number, so that an id may be there often.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "aiozk"

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
  /**
   * Which ephemeral children are members, by their names. What is not ephemeral is none, whatever its name. Default: all in
   * the layout `curator`; in `aiozk` those that are named so.
   */
  readonly filter?: ((name: string) => boolean) | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface JoinOptions {
  /** What others know the member by: a name without "/". Default: a new UUID. */
  readonly id?: string | undefined
  /** What others are shown of the member. Default: nothing. */
  readonly data?: Data | undefined
  /**
   * What is done when another session has the id.
   *
   * - `fail`, the default: waits for as long as `patience`, since it may be what a process left that has just died, and then
   *   fails with `MemberExists`.
   * - `wait`: waits until it is free.
   * - `suffix`: takes `<id>-2`, or the first number after it that is free.
   */
  readonly onConflict?: "fail" | "wait" | "suffix" | undefined
  /** How long a dead member is waited for under `fail`. Default: a session timeout. Numbers are milliseconds. */
  readonly patience?: Duration.Input | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Data by the ids of members. What is given never changes.
 *
 * @category models
 * @since 0.1.0
 */
export type Members = ReadonlyMap<string, Uint8Array>

/**
 * Oneself as a member.
 *
 * @category models
 * @since 0.1.0
 */
export interface Membership {
  /** What others know this member by. */
  readonly id: string
  readonly path: string
  /** What has become of its znode; see `PersistentNode`. */
  readonly status: PersistentNode.Status
  /** The status, then each newer one. */
  readonly changes: Stream.Stream<PersistentNode.Status>
  /** Shows others this from now on; see `PersistentNode`. */
  readonly setData: (data: Data) => Effect.Effect<void, PersistentNode.PersistentNodeError>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Party {
  readonly path: string
  /** Who is there, as far as this client knows. Asks nobody. */
  readonly members: Effect.Effect<Members>
  /** How far that can be trusted; see `CacheEvent`. */
  readonly freshness: Freshness
  /** Who is there, then each change of that or of the data. */
  readonly changes: Stream.Stream<Members, RecipeError>
  /** `changes` that have lasted so long: what comes and goes meanwhile is left out. Numbers are milliseconds. */
  readonly settled: (quiet: Duration.Input) => Stream.Stream<Members, RecipeError>
  /** Joins until the Scope closes. */
  readonly join: (options?: JoinOptions) => Effect.Effect<Membership, JoinError, Scope.Scope>
}

/**
 * What can keep one from joining.
 *
 * @category errors
 * @since 0.1.0
 */
export type JoinError = MemberExists | PersistentNode.PersistentNodeError

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * The party at a path, followed until the Scope closes. Returns when its members have been read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Party, RecipeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    const layout = layouts[options.layout ?? "curator"]
    const filter = options.filter ?? layout.isMember
    const cache = yield* ChildrenCache.make(path, { filter })
    const view = yield* SubscriptionRef.make<Members>(new Map())
    const self: Self = {
      zk,
      path,
      options,
      layout,
      cache,
      sought: new Map(),
      taken: new Set(),
      own: new Set(),
      left: new Map(),
      view
    }
    yield* refresh(self)
    const following = yield* Effect.forkScoped(follow(self), { startImmediately: true })
    const changes = Stream.interruptWhen(SubscriptionRef.changes(view), Fiber.join(following))
    return {
      path,
      members: SubscriptionRef.get(view),
      get freshness() {
        return cache.freshness
      },
      changes,
      settled: (quiet) => Stream.debounce(changes, quiet),
      join: (options = {}) => join(self, options)
    }
  })

// -----------------------------------------------------------------------------
// layouts
// -----------------------------------------------------------------------------

interface Naming {
  /** Whether an id can be there only once. */
  readonly isUnique: boolean
  readonly isMember: (name: string) => boolean
  /** The id of a member by the name of its znode. */
  readonly idOf: (name: string) => string
  /** How the znode of a member is created. */
  readonly node: Pick<PersistentNode.Options, "mode" | "protected">
}

const layouts: Readonly<Record<Layout, Naming>> = {
  curator: { isUnique: true, isMember: () => true, idOf: (name) => name, node: { mode: "ephemeral" } },
  aiozk: {
    isUnique: false,
    isMember: (name) => /-[0-9a-f]{32}-$/.test(ZnodePath.splitSequence(name)?.prefix ?? ""),
    idOf: (name) => (ZnodePath.splitSequence(name)?.prefix ?? name).replace(/-$/, ""),
    node: { mode: "ephemeralSequential", protected: (id, name) => `${name}-${id.replaceAll("-", "")}-` }
  }
}

// -----------------------------------------------------------------------------
// the view
// -----------------------------------------------------------------------------

interface Self {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly options: Options
  readonly layout: Naming
  readonly cache: ChildrenCache.ChildrenCache
  /** Who waits to see their own znode, by its name. */
  readonly sought: Map<string, Deferred.Deferred<void, RecipeError>>
  /** The ids that this client has, or wants. */
  readonly taken: Set<string>
  /** Those of this client who have joined. */
  readonly own: Set<Own>
  /** The znodes of those who have left, which the servers may still show: by name, the transaction that created them. */
  readonly left: Map<string, bigint>
  readonly view: SubscriptionRef.SubscriptionRef<Members>
}

interface Own {
  readonly node: PersistentNode.PersistentNode
  readonly name: string
  data: Uint8Array
}

const follow = (self: Self): Effect.Effect<void, RecipeError> =>
  Stream.runForEachArray(self.cache.changes, (events) => {
    tellSought(self, events.some(({ _tag }) => _tag === "Unreadable") ? Effect.void : undefined)
    return refresh(self)
  }).pipe(Effect.onExit((exit) => Effect.sync(() => tellSought(self, exit))))

/** Looks in the moment in which it shows what it saw: two who refresh the view must not put the older look last. */
const refresh = (self: Self): Effect.Effect<void> =>
  SubscriptionRef.updateSome(self.view, (shown) => {
    const next = look(self)
    return isSame(shown, next) ? Option.none() : Option.some(next)
  })

const look = ({ cache, layout, left, own }: Self): Members => {
  const seen = cache.get()
  const members = new Map<string, Uint8Array>()
  for (const [name, { data, stat }] of seen) {
    if (isMember(stat) && left.get(name) !== stat.czxid) members.set(layout.idOf(name), data)
  }
  for (const name of left.keys()) if (!seen.has(name)) left.delete(name)
  for (const { data, name, node } of own) {
    // One whose id another has taken while it was away is not there.
    if (node.status._tag !== "Blocked") members.set(layout.idOf(name), data)
  }
  return members
}

const isMember = ({ ephemeralOwner }: DataAndStat["stat"]): boolean => ephemeralOwner !== 0n

const isSame = (a: Members, b: Members): boolean => {
  if (a.size !== b.size) return false
  for (const [id, data] of a) {
    const other = b.get(id)
    if (other === undefined || !Equal.equals(data, other)) return false
  }
  return true
}

// -----------------------------------------------------------------------------
// joining
// -----------------------------------------------------------------------------

const join = (self: Self, options: JoinOptions): Effect.Effect<Membership, JoinError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const patience = (yield* checkTimeout(options.patience, "patience")) ?? self.zk.session.timeout
      const asked = options.id ?? (yield* Guid.make)
      const outer = yield* Effect.scope
      for (let number = 1; ; number++) {
        const scope = yield* Scope.fork(outer)
        const id = number === 1 ? asked : `${asked}-${number}`
        const exit = yield* stand(
          self,
          id,
          options,
          (node) => restore(awaitOurs(node, options, patience)),
          restore
        ).pipe(Effect.provideService(Scope.Scope, scope), Effect.exit)
        if (Exit.isSuccess(exit)) return exit.value
        yield* Scope.close(scope, exit)
        const isTaken = Option.exists(Exit.findErrorOption(exit), ({ _tag }) => _tag === "MemberExists")
        if (!isTaken || options.onConflict !== "suffix") return yield* exit
      }
    })
  )

/** Joins by one id. To be run where nothing is interrupted; the Scope is that of the membership. */
const stand = Effect.fnUntraced(function* (
  self: Self,
  id: string,
  { data = "" }: JoinOptions,
  ours: (node: PersistentNode.PersistentNode) => Effect.Effect<void, JoinError>,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.fn.Return<Membership, JoinError, Scope.Scope> {
  const { layout, options, path, zk } = self
  yield* checkId(self, id)
  const asked = ZnodePath.join(path, id)
  // Both would take the one znode for their own.
  if (layout.isUnique && self.taken.has(id)) return yield* new MemberExists({ path: asked, owner: zk.session.id })
  self.taken.add(id)
  const standing: { own: Own | undefined } = { own: undefined }
  // Registered first, so that it runs last: the znode goes, then the view shows it.
  yield* Effect.addFinalizer(() => forget(self, id, standing.own))
  const node = yield* PersistentNode.make(asked, { ...layout.node, data, acl: options.acl, wait: false }).pipe(
    Effect.provideService(ZooKeeper.ZooKeeper, zk)
  )
  yield* ours(node)
  const at = Option.getOrElse(node.actualPath, () => asked)
  const name = ZnodePath.name(at)
  const joined: Own = { node, name, data: bytesOf(data) }
  standing.own = joined
  self.own.add(joined)
  yield* refresh(self)
  yield* Effect.forkScoped(
    Stream.runForEach(node.changes, () => refresh(self)),
    { startImmediately: true }
  )
  yield* restore(awaitSeen(self, name))
  return {
    id: layout.idOf(name),
    path: at,
    get status() {
      return node.status
    },
    changes: node.changes,
    setData: (data) =>
      Effect.suspend(() => {
        joined.data = bytesOf(data)
        return Effect.andThen(refresh(self), node.setData(data))
      })
  }
})

/** Waits until the znode stands; who else may have it is dealt with as the options say. */
const awaitOurs = (
  node: PersistentNode.PersistentNode,
  { onConflict }: JoinOptions,
  patience: number
): Effect.Effect<void, JoinError> => {
  if (onConflict === "wait") return Effect.asVoid(node.present)
  const blocked =
    onConflict === "suffix" ? firstBlocked(node) : Effect.andThen(Effect.sleep(patience), firstBlocked(node))
  return Effect.raceFirst(Effect.asVoid(node.present), blocked)
}

/** Fails when another has the path. */
const firstBlocked = ({ changes }: PersistentNode.PersistentNode): Effect.Effect<void, MemberExists> =>
  Stream.runForEach(changes, (status) =>
    status._tag === "Blocked" ? Effect.fail(new MemberExists({ path: status.path, owner: status.owner })) : Effect.void
  ).pipe(Effect.andThen(Effect.never))

/** Waits until the cache shows one's own znode, or cannot show any. */
const awaitSeen = ({ cache, sought }: Self, name: string): Effect.Effect<void, RecipeError> =>
  Effect.suspend(() => {
    if (cache.get().has(name)) return Effect.void
    const seen = Deferred.makeUnsafe<void, RecipeError>()
    sought.set(name, seen)
    return Effect.ensuring(
      Deferred.await(seen),
      Effect.sync(() => sought.delete(name))
    )
  })

/** Tells those whose znodes the cache shows; when it can show no more, all of them. */
const tellSought = ({ cache, sought }: Self, outcome?: Effect.Effect<void, RecipeError>): void => {
  for (const [name, seen] of sought) {
    if (outcome !== undefined || cache.get().has(name)) Deferred.doneUnsafe(seen, outcome ?? Effect.void)
  }
}

const forget = (self: Self, id: string, own: Own | undefined): Effect.Effect<void> =>
  Effect.suspend(() => {
    self.taken.delete(id)
    if (own === undefined) return Effect.void
    self.own.delete(own)
    const shown = self.cache.get().get(own.name)
    if (shown?.stat.ephemeralOwner === self.zk.session.id) self.left.set(own.name, shown.stat.czxid)
    return refresh(self)
  })

/** An id is a name; one that the filter leaves out would never be seen. */
const checkId = ({ layout, options, path }: Self, id: string): Effect.Effect<void, InvalidArgument> => {
  const rule =
    id === "" || id.includes("/")
      ? 'an id has to be a name without "/"'
      : (ZnodePath.check(ZnodePath.join(path, id)) ??
        (layout.isUnique && options.filter?.(id) === false ? "the filter of the party leaves it out" : undefined))
  return rule === undefined ? Effect.void : Effect.fail(new InvalidArgument({ argument: "id", value: id, rule }))
}
