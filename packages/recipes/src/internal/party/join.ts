/**
 * Joins a party: creates a znode, and waits until the view shows it.
 */
import { acquireForked } from "@effect-zookeeper/client/Detached"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { MemberExists } from "../../Errors.ts"
import * as PersistentNode from "../../PersistentNode.ts"
import { toBytes } from "../shared/bytes.ts"
import { checkTimeout } from "../shared/validate.ts"
import { awaitSeen, leave, type OwnMember, refresh, type MembershipView } from "./MembershipView.ts"
import type { JoinError, JoinOptions, Membership } from "./model.ts"

/** Joins by the given id, or by the first free one, as the options say. */
export const join = (self: MembershipView, options: JoinOptions): Effect.Effect<Membership, JoinError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // As it is at the call.
      const given = { ...options, data: toBytes(options.data ?? "") }
      const expiryTimeout = (yield* checkTimeout(options.expiryTimeout, "expiryTimeout")) ?? self.zk.session.timeout
      const asked = options.id ?? (yield* Guid.make)
      const awaitOwned = (node: PersistentNode.PersistentNode) => restore(awaitOwnZnode(node, options, expiryTimeout))
      for (let number = 1; ; number++) {
        const id = number === 1 ? asked : `${asked}-${number}`
        const joining = acquireForked(() => joinAs(self, id, given, awaitOwned, restore))
        const joined = yield* Effect.catchTag(joining, "MemberExists", (error) =>
          options.onConflict === "suffix" ? Effect.undefined : Effect.fail(error)
        )
        if (joined !== undefined) return joined
      }
    })
  )

/** Joins by one id. Run it uninterruptibly; the Scope is that of the membership. */
const joinAs = Effect.fnUntraced(function* (
  self: MembershipView,
  id: string,
  { data = "" }: JoinOptions,
  awaitOwned: (node: PersistentNode.PersistentNode) => Effect.Effect<void, JoinError>,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.fn.Return<Membership, JoinError, Scope.Scope> {
  const { layout, options, path, zk } = self
  yield* checkId(self, id)
  const asked = ZnodePath.join(path, id)
  // Two members of this client would take the one znode for their own.
  if (layout.isUnique && self.usedIds.has(id)) return yield* new MemberExists({ path: asked, owner: zk.session.id })
  self.usedIds.add(id)
  const membership: { own: OwnMember | undefined } = { own: undefined }
  // Registered first, so that it runs last: the znode goes, then the view follows.
  yield* Effect.addFinalizer(() => leave(self, id, membership.own))
  const node = yield* PersistentNode.make(asked, { ...layout.node, data, acl: options.acl, wait: false }).pipe(
    Effect.provideService(ZooKeeper.ZooKeeper, zk)
  )
  yield* awaitOwned(node)
  const at = Option.getOrElse(node.actualPath, () => asked)
  const name = ZnodePath.name(at)
  const joined: OwnMember = { node, name, data: toBytes(data) }
  membership.own = joined
  self.ownMembers.add(joined)
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
        const bytes = toBytes(data)
        joined.data = bytes
        return Effect.andThen(refresh(self), node.setData(bytes))
      })
  }
})

/** Waits until the znode is there, and deals with another owner as the options say. */
const awaitOwnZnode = (
  node: PersistentNode.PersistentNode,
  { onConflict }: JoinOptions,
  expiryTimeout: number
): Effect.Effect<void, JoinError> => {
  if (onConflict === "wait") return Effect.asVoid(node.present)
  const blocked =
    onConflict === "suffix" ? firstBlocked(node) : Effect.andThen(Effect.sleep(expiryTimeout), firstBlocked(node))
  return Effect.raceFirst(Effect.asVoid(node.present), blocked)
}

/** Fails when another client has the path. */
const firstBlocked = ({ changes }: PersistentNode.PersistentNode): Effect.Effect<void, MemberExists> =>
  Stream.runForEach(changes, (status) =>
    status._tag === "Blocked" ? Effect.fail(new MemberExists({ path: status.path, owner: status.owner })) : Effect.void
  ).pipe(Effect.andThen(Effect.never))

/** An id is a name; one that the filter leaves out would never be seen. */
const checkId = ({ layout, options, path }: MembershipView, id: string): Effect.Effect<void, InvalidArgument> => {
  const rule =
    id === "" || id.includes("/")
      ? 'an id has to be a name without "/"'
      : (ZnodePath.check(ZnodePath.join(path, id)) ??
        (layout.isUnique && options.filter?.(id) === false ? "the filter of the party leaves it out" : undefined))
  return rule === undefined ? Effect.void : Effect.fail(new InvalidArgument({ argument: "id", value: id, rule }))
}
