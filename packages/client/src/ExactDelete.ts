/**
 * Deletes a znode that is named by its birth. When a request arrives, a path and even a version may belong to another
 * znode: the old one was deleted and created again, and versions began anew. The transaction that created a znode (its
 * czxid) and the session that owns it never come again.
 *
 * ZooKeeper deletes by path and version alone. So each attempt reads the Stat first, names the version that it has seen,
 * and reads again before it is repeated. One window remains: a znode that another client deletes and creates again, with
 * the same version, between this read and the delete.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { BadVersion, InvalidArgument, NoAuth, NotEmpty, SessionError } from "./Errors.ts"
import type { Stat } from "./Models.ts"
import { settle } from "./Outcome.ts"
import type * as ZooKeeper from "./ZooKeeper.ts"

/**
 * Errors of {@link deleteByCzxid}.
 *
 * @category errors
 * @since 0.1.0
 */
export type ExactDeleteError = NoAuth | NotEmpty | InvalidArgument | SessionError

/**
 * Options of {@link deleteByCzxid}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Runs once the znode was found to be the right one. Default: nothing. */
  readonly before?: Effect.Effect<void, ExactDeleteError | BadVersion> | undefined
  /**
   * Whether the server is known to be up to date, by a sync or a read of the caller: no commit precedes the first look then
   * (`Outcome.settle`). Default false.
   */
  readonly isSynced?: boolean | undefined
}

/**
 * Deletes the znode at a path if it is the one that is meant. `isMeant` judges the first Stat; from then on only that very
 * znode is meant. Make it once and run it as often as needed: each run reads the state of the ensemble before it deletes.
 *
 * @category running
 * @since 0.1.0
 */
export const deleteByCzxid = (
  zk: ZooKeeper.Service,
  path: string,
  isMeant: (stat: Stat) => boolean,
  { before = Effect.void, isSynced: isSyncedAtFirst = false }: Options = {}
): Effect.Effect<void, ExactDeleteError> => {
  let czxid: bigint | undefined
  let isSynced = isSyncedAtFirst
  let conflicts = 0
  const once: Effect.Effect<void, ExactDeleteError> = Effect.gen(function* () {
    // A server that lags would show a znode that is gone already, and a former leader none that was created lately.
    if (!isSynced) yield* settle(zk)
    isSynced = false
    const stat = yield* zk.stat(path)
    if (Option.isNone(stat) || !isMeant(stat.value) || stat.value.czxid !== (czxid ?? stat.value.czxid)) return
    czxid = stat.value.czxid
    yield* before
    yield* zk.delete(path, { version: stat.value.version })
  }).pipe(
    Effect.catchTag("NoNode", () => Effect.void),
    // Another client wrote in between, or created the znode again, which the next Stat tells.
    Effect.catchTag("BadVersion", () =>
      Effect.flatMap(Random.nextBetween(0.5, 1.5), (jitter) =>
        Effect.andThen(Effect.sleep(jitter * Math.min(1000, 20 * 2 ** conflicts++)), once)
      )
    )
  )
  return once
}
