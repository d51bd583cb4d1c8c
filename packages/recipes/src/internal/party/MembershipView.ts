/**
 * The members as a client shows them: those in its cache, with its own members and without its own members that have left.
 */
import * as Bytes from "@effect-zookeeper/client/Bytes"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as ChildrenCache from "../../ChildrenCache.ts"
import type { RecipeError } from "../../Errors.ts"
import type * as PersistentNode from "../../PersistentNode.ts"
import { layouts, type MemberLayout } from "./layouts.ts"
import type { Members, Options } from "./model.ts"

/** A party as one client sees it. */
export interface MembershipView {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly options: Options
  readonly layout: MemberLayout
  readonly cache: ChildrenCache.ChildrenCache
  /** Members that wait to see their own znode, by its name. */
  readonly awaitedNames: Map<string, Deferred.Deferred<void, RecipeError>>
  /** The ids that this client has, or wants. */
  readonly usedIds: Set<string>
  /** The members of this client. */
  readonly ownMembers: Set<OwnMember>
  /** Znodes of members that have left, which the servers may still show: the transaction that created each, by name. */
  readonly left: Map<string, bigint>
  /** The members that users see. */
  readonly members: SubscriptionRef.SubscriptionRef<Members>
}

/** A member of this client. */
export interface OwnMember {
  readonly node: PersistentNode.PersistentNode
  readonly name: string
  data: Uint8Array
}

/** Follows a path until the Scope closes; has no members yet. */
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

/** Publishes each change, for as long as the cache reports changes. */
export const follow = (self: MembershipView): Effect.Effect<void, RecipeError> =>
  Stream.runForEachArray(self.cache.changes, (events) => {
    notifyAwaiting(self, events.some(({ _tag }) => _tag === "Unreadable") ? Effect.void : undefined)
    return refresh(self)
  }).pipe(Effect.onExit((exit) => Effect.sync(() => notifyAwaiting(self, exit))))

/** Reads the cache at the moment of publishing: of two concurrent refreshes the older read must not be last. */
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
    // A member is not there if another client took its id while it was away.
    if (node.status._tag !== "Blocked") members.set(layout.idOf(name), data)
  }
  return members
}

const isMember = ({ ephemeralOwner }: DataAndStat["stat"]): boolean => ephemeralOwner !== 0n

const isSame = (a: Members, b: Members): boolean => {
  if (a.size !== b.size) return false
  for (const [id, data] of a) {
    const other = b.get(id)
    if (other === undefined || !Bytes.equals(data, other)) return false
  }
  return true
}

/** Releases an id, and removes its member from the view. */
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
// seeing the own znode
// -----------------------------------------------------------------------------

/** Waits until the cache shows the own znode, or cannot show any. */
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

/** Completes waits for znodes that the cache shows; all of them, when it can show no more. */
const notifyAwaiting = ({ cache, awaitedNames }: MembershipView, outcome?: Effect.Effect<void, RecipeError>): void => {
  for (const [name, seen] of awaitedNames) {
    if (outcome !== undefined || cache.get().has(name)) Deferred.doneUnsafe(seen, outcome ?? Effect.void)
  }
}
