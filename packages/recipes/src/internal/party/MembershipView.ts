/**
 * Who is there as a client shows it: what its cache has seen, with its own members and without those of its own who have left.
 */
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as ChildrenCache from "../../ChildrenCache.ts"
import type { RecipeError } from "../../Errors.ts"
import type { Members, Options } from "../../Party.ts"
import type * as PersistentNode from "../../PersistentNode.ts"
import { layouts, type MemberLayout } from "./layouts.ts"

/** A party as one client has it. */
export interface MembershipView {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly options: Options
  readonly layout: MemberLayout
  readonly cache: ChildrenCache.ChildrenCache
  /** Who waits to see their own znode, by its name. */
  readonly awaitedNames: Map<string, Deferred.Deferred<void, RecipeError>>
  /** The ids that this client has, or wants. */
  readonly usedIds: Set<string>
  /** Those of this client who have joined. */
  readonly ownMembers: Set<OwnMember>
  /** The znodes of those who have left, which the servers may still show: by name, the transaction that created them. */
  readonly left: Map<string, bigint>
  /** What is shown. */
  readonly members: SubscriptionRef.SubscriptionRef<Members>
}

/** A member of this client. */
export interface OwnMember {
  readonly node: PersistentNode.PersistentNode
  readonly name: string
  data: Uint8Array
}

/** Follows a path until the Scope closes; shows nobody yet. */
export const makeMembershipView = Effect.fnUntraced(function* (path: string, options: Options) {
  const layout = layouts[options.layout ?? "curator"]
  const view: MembershipView = {
    zk: yield* ZooKeeper.ZooKeeper,
    path,
    options,
    layout,
    cache: yield* ChildrenCache.make(path, { filter: options.filter ?? layout.isMember }),
    awaitedNames: new Map(),
    usedIds: new Set(),
    ownMembers: new Set(),
    left: new Map(),
    members: yield* SubscriptionRef.make<Members>(new Map())
  }
  return view
})

/** Shows each change, for as long as the cache tells of any. */
export const follow = (self: MembershipView): Effect.Effect<void, RecipeError> =>
  Stream.runForEachArray(self.cache.changes, (events) => {
    notifyAwaiting(self, events.some(({ _tag }) => _tag === "Unreadable") ? Effect.void : undefined)
    return refresh(self)
  }).pipe(Effect.onExit((exit) => Effect.sync(() => notifyAwaiting(self, exit))))

/** Looks in the moment in which it shows what it saw: two who refresh the view must not put the older look last. */
export const refresh = (self: MembershipView): Effect.Effect<void> =>
  SubscriptionRef.updateSome(self.members, (shown) => {
    const next = currentMembers(self)
    return isSame(shown, next) ? Option.none() : Option.some(next)
  })

const currentMembers = ({ cache, layout, left, ownMembers }: MembershipView): Members => {
  const seen = cache.get()
  const members = new Map<string, Uint8Array>()
  for (const [name, { data, stat }] of seen) {
    if (isMember(stat) && left.get(name) !== stat.czxid) members.set(layout.idOf(name), data)
  }
  for (const name of left.keys()) if (!seen.has(name)) left.delete(name)
  for (const { data, name, node } of ownMembers) {
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

/** Takes back an id, and out of the view whoever stood by it. */
export const leave = (self: MembershipView, id: string, own: OwnMember | undefined): Effect.Effect<void> =>
  Effect.suspend(() => {
    self.usedIds.delete(id)
    if (own === undefined) return Effect.void
    self.ownMembers.delete(own)
    const shown = self.cache.get().get(own.name)
    if (shown?.stat.ephemeralOwner === self.zk.session.id) self.left.set(own.name, shown.stat.czxid)
    return refresh(self)
  })

// -----------------------------------------------------------------------------
// seeing oneself
// -----------------------------------------------------------------------------

/** Waits until the cache shows one's own znode, or cannot show any. */
export const awaitSeen = ({ cache, awaitedNames }: MembershipView, name: string): Effect.Effect<void, RecipeError> =>
  Effect.suspend(() => {
    if (cache.get().has(name)) return Effect.void
    const seen = Deferred.makeUnsafe<void, RecipeError>()
    awaitedNames.set(name, seen)
    return Effect.ensuring(
      Deferred.await(seen),
      Effect.sync(() => awaitedNames.delete(name))
    )
  })

/** Tells those whose znodes the cache shows; when it can show no more, all of them. */
const notifyAwaiting = ({ cache, awaitedNames }: MembershipView, outcome?: Effect.Effect<void, RecipeError>): void => {
  for (const [name, seen] of awaitedNames) {
    if (outcome !== undefined || cache.get().has(name)) Deferred.doneUnsafe(seen, outcome ?? Effect.void)
  }
}
