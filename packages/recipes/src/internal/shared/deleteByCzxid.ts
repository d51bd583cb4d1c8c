/**
 * Deleting a znode that is named by its birth. A path, and a version too, may be another's by the time that a request
 * arrives: the znode was deleted and made anew, and its versions have begun again. The transaction that created a znode
 * (its czxid) and the session that owns it never come again.
 *
 * ZooKeeper deletes by path and version alone. So whoever deletes looks first, names the version of that look, and looks
 * again before each repetition. One window remains: a znode that somebody else deletes and makes anew with the same version
 * between the look and the delete that follows it.
 */
import type { BadVersion, NoAuth, NotEmpty, InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { sleepJittered } from "../values/compareAndSet.ts"

export type DeleteByCzxidError = NoAuth | NotEmpty | InvalidArgument | SessionError

/**
 * Deletes the znode at a path if it is the one that is meant. `isMeant` judges the first look; from then on only that very
 * znode is meant. To be made once, and run as often as it takes: each run looks at what the ensemble has before it deletes.
 * `before` is what has to be done once the znode was found to be the right one.
 */
export const deleteByCzxid = (
  zk: ZooKeeper.Service,
  path: string,
  isMeant: (stat: Stat) => boolean,
  before: Effect.Effect<void, DeleteByCzxidError | BadVersion> = Effect.void
): Effect.Effect<void, DeleteByCzxidError> => {
  let czxid: bigint | undefined
  const once: Effect.Effect<void, DeleteByCzxidError> = Effect.gen(function* () {
    // A server that lags would show what is gone already.
    yield* zk.sync(path)
    const stat = yield* zk.stat(path)
    if (Option.isNone(stat) || !isMeant(stat.value) || stat.value.czxid !== (czxid ?? stat.value.czxid)) return
    czxid = stat.value.czxid
    yield* before
    yield* zk.delete(path, { version: stat.value.version })
  }).pipe(
    Effect.catchTag("NoNode", () => Effect.void),
    // Somebody has written in between; or made it anew, which the next look tells.
    Effect.catchTag("BadVersion", () => Effect.andThen(sleepJittered(20), once))
  )
  return once
}
