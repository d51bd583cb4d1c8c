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
import { layouts, type Naming } from "./naming.ts"

/** A party as one client has it. */
export interface View {
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
  /** What is shown. */
  readonly shown: SubscriptionRef.SubscriptionRef<Members>
}

/** A member of this client. */
export interface Own {
  readonly node: PersistentNode.PersistentNode
  readonly name: string
  data: Uint8Array
}

/** Follows a path until the Scope closes; shows nobody yet. */
export const makeView = Effect.fnUntraced(function* (path: string, options: Options) {
  const layout = layouts[options.layout ?? "curator"]
  const view: View = {
    zk: yield* ZooKeeper.ZooKeeper,
    path,
    options,
    layout,
    cache: yield* ChildrenCache.make(path, { filter: options.filter ?? layout.isMember }),
    sought: new Map(),
    taken: new Set(),
    own: new Set(),
    left: new Map(),
    shown: yield* SubscriptionRef.make<Members>(new Map())
  }
  return view
})

/** Shows each change, for as long as the cache tells of any. */
export const follow = (self: View): Effect.Effect<void, RecipeError> =>
  Stream.runForEachArray(self.cache.changes, (events) => {
    tellSought(self, events.some(({ _tag }) => _tag === "Unreadable") ? Effect.void : undefined)
    return refresh(self)
  }).pipe(Effect.onExit((exit) => Effect.sync(() => tellSought(self, exit))))

/** Looks in the moment in which it shows what it saw: two who refresh the view must not put the older look last. */
export const refresh = (self: View): Effect.Effect<void> =>
  SubscriptionRef.updateSome(self.shown, (shown) => {
    const next = look(self)
    return isSame(shown, next) ? Option.none() : Option.some(next)
  })

const look = ({ cache, layout, left, own }: View): Members => {
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

/** Takes back an id, and out of the view whoever stood by it. */
export const forget = (self: View, id: string, own: Own | undefined): Effect.Effect<void> =>
  Effect.suspend(() => {
    self.taken.delete(id)
    if (own === undefined) return Effect.void
    self.own.delete(own)
    const shown = self.cache.get().get(own.name)
    if (shown?.stat.ephemeralOwner === self.zk.session.id) self.left.set(own.name, shown.stat.czxid)
    return refresh(self)
  })

// -----------------------------------------------------------------------------
// seeing oneself
// -----------------------------------------------------------------------------

/** Waits until the cache shows one's own znode, or cannot show any. */
export const awaitSeen = ({ cache, sought }: View, name: string): Effect.Effect<void, RecipeError> =>
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
const tellSought = ({ cache, sought }: View, outcome?: Effect.Effect<void, RecipeError>): void => {
  for (const [name, seen] of sought) {
    if (outcome !== undefined || cache.get().has(name)) Deferred.doneUnsafe(seen, outcome ?? Effect.void)
  }
}
