/**
 * Deletes a znode that is named by its birth. When a request arrives, a path and even a version may belong to another
 * znode: the old one was deleted and created again, and versions began anew. The transaction that created a znode (its
 * czxid) and the session that owns it never come again.
 *
 * ZooKeeper deletes by path and version alone. So each attempt reads the Stat first, names the version that it has seen,
 * and reads again before it is repeated. One window remains: a znode that another client deletes and creates again, with
 * the same version, between this read and the delete.
 */
import type { BadVersion, NoAuth, NotEmpty, InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { sleepJittered } from "./backoff.ts"

type DeleteByCzxidError = NoAuth | NotEmpty | InvalidArgument | SessionError

/**
 * Deletes the znode at a path if it is the one that is meant. `isMeant` judges the first Stat; from then on only that very
 * znode is meant. Make it once and run it as often as needed: each run reads the state of the ensemble before it deletes.
 * `before` runs once the znode was found to be the right one.
 */
export const deleteByCzxid = (
  zk: ZooKeeper.Service,
  path: string,
  isMeant: (stat: Stat) => boolean,
  before: Effect.Effect<void, DeleteByCzxidError | BadVersion> = Effect.void
): Effect.Effect<void, DeleteByCzxidError> => {
  let czxid: bigint | undefined
  const once: Effect.Effect<void, DeleteByCzxidError> = Effect.gen(function* () {
    // A server that lags would show a znode that is gone already.
    yield* zk.sync(path)
    const stat = yield* zk.stat(path)
    if (Option.isNone(stat) || !isMeant(stat.value) || stat.value.czxid !== (czxid ?? stat.value.czxid)) return
    czxid = stat.value.czxid
    yield* before
    yield* zk.delete(path, { version: stat.value.version })
  }).pipe(
    Effect.catchTag("NoNode", () => Effect.void),
    // Another client wrote in between, or created the znode again, which the next Stat tells.
    Effect.catchTag("BadVersion", () => Effect.andThen(sleepJittered(20), once))
  )
  return once
}
