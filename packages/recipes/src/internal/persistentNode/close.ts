/**
 * The end of keeping a znode: it is deleted, unless it is another client's or is to stay.
 */
import * as CreateMode from "@effect-zookeeper/client/CreateMode"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { deleteByCzxid } from "../shared/deleteByCzxid.ts"
import { getAfterCommit } from "../shared/requests.ts"
import { giveBack } from "../shared/sessionClose.ts"
import { isOwnLasting, type NodeState, ownerOf, settleWaiting, setStatus } from "./NodeState.ts"
import { TOUCH_NAME } from "./ttl.ts"

/** Deletes the znode, and one that a create may still make; never another client's. */
export const close = Effect.fnUntraced(function* (self: NodeState) {
  const status = SubscriptionRef.getUnsafe(self.status)
  settleWaiting(self, Effect.fail(new SessionClosed()))
  yield* setStatus(self, { _tag: "Closed" })
  // If a create that the server names is still under way, its result is deleted when it arrives.
  if (!self.mayExist || self.actualPath === undefined || self.options.deleteOnClose === false) return
  yield* deleteOwn(self, self.actualPath, status._tag === "Present" ? status.czxid : undefined)
})

/**
 * Deletes the znode with this czxid or, where none is known yet, the one that the next look shows to be ours. A znode that
 * outlives sessions is deleted in the next one, if need be.
 */
export const deleteOwn = (self: NodeState, path: string, czxid?: bigint): Effect.Effect<void> => {
  const { lasting, mode, zk } = self
  const isEphemeral = CreateMode.isEphemeral(mode)
  const isOwn = (stat: Stat) =>
    isEphemeral
      ? ownerOf(self, stat) !== "Foreign" && stat.czxid === (czxid ?? stat.czxid)
      : stat.czxid === (czxid ?? lasting.czxid)
  // Creates whose outcome is not known: what is there tells whether one of them was applied.
  const look =
    isEphemeral || czxid !== undefined || lasting.attempts.size === 0
      ? Effect.void
      : Effect.map(getAfterCommit(zk, path), (seen) => {
          if (seen !== undefined && isOwnLasting(self, seen.stat, seen.data)) lasting.czxid = seen.stat.czxid
        })
  const touch = CreateMode.hasTtl(mode)
    ? Effect.catchTag(zk.delete(ZnodePath.join(path, TOUCH_NAME)), "NoNode", () => Effect.void)
    : Effect.void
  const attempt = Effect.andThen(look, deleteByCzxid(zk, path, isOwn, touch))
  return giveBack(zk, { path, attempt, isLasting: !isEphemeral })
}
