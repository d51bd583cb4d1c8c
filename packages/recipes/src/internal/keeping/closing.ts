/**
 * The end of keeping a znode: it is deleted, unless it is another's or is to stay.
 */
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { leave } from "../holding.ts"
import { acrossSessions } from "../patience.ts"
import { answer, judge, type Kept, setStatus } from "./kept.ts"
import { touchName } from "./touching.ts"

/** How long a close waits for what it deletes; the deletion goes on. */
const goodbye = "1 second"

/** Deletes the znode, and one that a create may yet have made; never another's. */
export const close = Effect.fnUntraced(function* (self: Kept) {
  const isOurs = SubscriptionRef.getUnsafe(self.status)._tag === "Present" && CreateMode.isEphemeral(self.mode)
  answer(self, Effect.fail(new SessionClosed()))
  yield* setStatus(self, { _tag: "Closed" })
  // What a create without an answer makes under a name of the server's is deleted when that comes.
  if (!self.mayExist || self.actual === undefined || self.options.deleteOnClose === false) return
  yield* isOurs ? leave(self.zk, self.actual) : remove(self, self.actual)
})

/** Looks first, whatever the session; what does not go with a session is deleted in the next one, if need be. */
export const remove = (self: Kept, path: string): Effect.Effect<void> => {
  const { mode, zk } = self
  const delete_ = (path: string) => Effect.catchTag(zk.delete(path), ["NoNode", "BadVersion"], () => Effect.void)
  const once = Effect.gen(function* () {
    yield* zk.sync(path)
    const stat = yield* zk.stat(path)
    if (Option.isNone(stat) || judge(self, stat.value) === "Foreign") return
    if (CreateMode.hasTtl(mode)) yield* delete_(ZnodePath.join(path, touchName))
    yield* delete_(path)
  })
  const removing = acrossSessions(zk, once).pipe(
    Effect.catchTag(["SessionExpired", "SessionClosed"], () => Effect.void),
    Effect.catch((error) => Effect.logWarning(`${path} could not be deleted: ${error.message}`))
  )
  return Effect.flatMap(Effect.forkDetach(removing, { startImmediately: true }), (fiber) =>
    Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), goodbye))
  )
}
