/**
 * The end of keeping a znode: it is deleted, unless it is another's or is to stay.
 */
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { deleteBorn } from "../birth.ts"
import { acrossSessions } from "../patience.ts"
import { answer, judge, type Kept, setStatus } from "./kept.ts"
import { touchName } from "./touching.ts"

/** Deletes the znode, and one that a create may yet have made; never another's. */
export const close = Effect.fnUntraced(function* (self: Kept) {
  const status = SubscriptionRef.getUnsafe(self.status)
  answer(self, Effect.fail(new SessionClosed()))
  yield* setStatus(self, { _tag: "Closed" })
  // What a create without an answer makes under a name of the server's is deleted when that comes.
  if (!self.mayExist || self.actual === undefined || self.options.deleteOnClose === false) return
  yield* remove(self, self.actual, status._tag === "Present" ? status.czxid : undefined)
})

/**
 * Deletes the znode with this czxid, or, where none is known yet, the one that the next look shows to be ours. What does not
 * go with a session is deleted in the next one, if need be.
 */
export const remove = (self: Kept, path: string, czxid?: bigint): Effect.Effect<void> => {
  const { mode, zk } = self
  const isOurs = (stat: Stat) => judge(self, stat) !== "Foreign" && stat.czxid === (czxid ?? stat.czxid)
  const touch = CreateMode.hasTtl(mode)
    ? Effect.catchTag(zk.delete(ZnodePath.join(path, touchName)), "NoNode", () => Effect.void)
    : Effect.void
  const removing = acrossSessions(zk, deleteBorn(zk, path, isOurs, touch)).pipe(
    Effect.catchTag(["SessionExpired", "SessionClosed"], () => Effect.void),
    Effect.catch((error) => Effect.logWarning(`${Printable.escape(path)} could not be deleted: ${error.message}`))
  )
  return zk.session.closing.giveBack(removing)
}
