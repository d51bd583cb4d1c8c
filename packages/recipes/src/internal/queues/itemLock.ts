/**
 * The lock of an item that is being worked on: an ephemeral znode beside it, with the item's name. The transaction that
 * creates it also writes the item's own data, unchanged, which moves its version one step on. So the version counts the
 * takes, and it tells one taker's hold from the next one's: all locks of an item have the same path and version.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { DataInvalid, type RecipeError } from "../../Errors.ts"
import { failIfClosing, giveBack } from "../shared/sessionClose.ts"
import { sleepJittered, untilDefined } from "../shared/backoff.ts"
import { deleteByCzxid } from "../shared/deleteByCzxid.ts"
import { createIfMissing, ensureParents, getAfterCommit, getOrUndefined, isStateConflict } from "../shared/requests.ts"
import { failIfFinal, retryAcrossSessions } from "../shared/retry.ts"
import type { Entry } from "./entryFormat.ts"
import type { QueueContext } from "./queueOps.ts"

/** An item with its lock beside it. */
export interface LockedItem {
  readonly lock: string
  /** The data of the lock. */
  readonly id: string
  /**
   * The version of the item since then; undefined where we may not write the item, so that the lock alone tells the hold.
   */
  readonly version: number | undefined
}

// -----------------------------------------------------------------------------
// putting
// -----------------------------------------------------------------------------

/** Puts a lock beside an item that was read; undefined when another client was faster. */
export const putLock = Effect.fnUntraced(function* <A>(
  queue: QueueContext<A>,
  path: string,
  { data, stat }: DataAndStat,
  lock: string,
  id: string
): Effect.fn.Return<LockedItem | undefined, RecipeError> {
  const { acl, paths, zk } = queue
  const ops = [Op.create(lock, { mode: "ephemeral", data: id, acl }), Op.setData(path, data, { version: stat.version })]
  const losses = Outcome.totalLosses()
  while (true) {
    yield* failIfClosing(zk)
    const sent = yield* Effect.result(zk.transaction(ops))
    if (Result.isSuccess(sent)) return { lock, id, version: stat.version + 1 }
    const error = sent.failure
    if (error._tag === "TransactionFailed") {
      const refused = error.error
      if (error.index === 1 && refused._tag === "NoAuth") return yield* putLockAlone(queue, path, stat.czxid, lock, id)
      if (!isStateConflict(refused)) return yield* Effect.fail(refused)
      if (error.index === 1 || refused._tag !== "NoNode") return undefined
      yield* ensureParents(zk, paths.taken, acl)
      continue
    }
    // The largest possible item leaves no room for a lock in the same request.
    if (error._tag === "FrameTooLarge") return yield* putLockAlone(queue, path, stat.czxid, lock, id)
    const failure = yield* failIfFinal(zk, error)
    if (failure === "lost") {
      losses.add(error)
      const there = yield* Effect.mapError(getAfterCommit(zk, lock), Outcome.markMaybeApplied)
      if (there !== undefined) {
        const isOurs = hasId(there, id) && there.stat.ephemeralOwner === zk.session.id
        return isOurs ? { lock, id, version: stat.version + 1 } : undefined
      }
      if (error._tag === "ConnectionLoss" && losses.isGivenUp) {
        return yield* Effect.fail(Outcome.markUnapplied(losses.withTotal(error)))
      }
    }
    if (failure !== "renewed") yield* sleepJittered(100)
  }
})

/** The lock without the write. The item may have been finished meanwhile. */
const putLockAlone = Effect.fnUntraced(function* <A>(
  { acl, paths, zk }: QueueContext<A>,
  path: string,
  czxid: bigint,
  lock: string,
  id: string
): Effect.fn.Return<LockedItem | undefined, RecipeError> {
  const isOurs = yield* untilDefined(
    retryAcrossSessions(zk, zk.create(lock, { mode: "ephemeral", data: id, acl, idempotent: true })).pipe(
      Effect.as(true),
      Effect.catchTag("NoNode", () => Effect.as(ensureParents(zk, paths.taken, acl), undefined)),
      // It may be ours, of an attempt whose reply was lost.
      Effect.catchTag("NodeExists", () =>
        Effect.map(getOrUndefined(zk, lock), (found) => found !== undefined && hasId(found, id))
      )
    )
  )
  if (!isOurs) return undefined
  if ((yield* getOrUndefined(zk, path))?.stat.czxid === czxid) return { lock, id, version: undefined }
  yield* removeLock(zk, { lock, id })
  return undefined
})

// -----------------------------------------------------------------------------
// taking away
// -----------------------------------------------------------------------------

/** Deletes a lock if it is ours: another client's may have its place by then. Waits a second at most. */
export const removeLock = (
  zk: ZooKeeper.Service,
  { id, lock }: Pick<LockedItem, "lock" | "id">
): Effect.Effect<void> => {
  const session = zk.session.id
  // Reads before each attempt: a blind one could delete the next client's lock.
  const own = Effect.gen(function* () {
    // A server that lags would show the lock that is already deleted.
    yield* zk.sync(lock)
    const found = yield* zk.get(lock)
    if (!hasId(found, id) || found.stat.ephemeralOwner !== zk.session.id) return
    yield* zk.delete(lock, { version: found.stat.version })
  })
  const attempt = own.pipe(
    // Without the right to read we cannot tell; delete what this session owns, so that the lock does not block others.
    Effect.catchTag("NoAuth", () => deleteByCzxid(zk, lock, ({ ephemeralOwner }) => ephemeralOwner === session)),
    Effect.catchTag(["NoNode", "BadVersion", "NotEmpty"], () => Effect.void)
  )
  return giveBack(zk, { path: lock, attempt })
}

const hasId = (found: DataAndStat, id: string): boolean => new TextDecoder().decode(found.data) === id

// -----------------------------------------------------------------------------
// giving up
// -----------------------------------------------------------------------------

/** Whether an item has been taken `maxAttempts` times. */
export const isExhausted = <A>({ deadLetters }: QueueContext<A>, { stat }: DataAndStat): boolean =>
  deadLetters !== undefined && stat.version >= deadLetters.maxAttempts

/**
 * Moves an item to the dead letters, in one transaction that fits this very item as it was read, and only while it is not
 * being worked on. If it is repeated after a lost reply, it finds the item gone.
 */
export const moveToDeadLetters = <A>(
  queue: QueueContext<A>,
  path: string,
  entry: Entry,
  { data, stat }: DataAndStat,
  lock: string
): Effect.Effect<void, DataInvalid | RecipeError> => {
  const { acl, deadLetters, naming, paths, zk } = queue
  if (deadLetters === undefined) return Effect.void
  const move = retryAcrossSessions(
    zk,
    zk.transaction([
      Op.create(lock, { mode: "ephemeral", acl }),
      Op.delete(path, { version: stat.version }),
      Op.create(ZnodePath.join(deadLetters.path, naming.prefix(entry.priority)), {
        mode: "persistentSequential",
        data,
        acl
      }),
      Op.delete(lock)
    ])
  )
  return untilDefined(
    Effect.as(move, true as const).pipe(
      Effect.catchTag(
        "TransactionFailed",
        ({ error, index }): Effect.Effect<true | undefined, DataInvalid | RecipeError> => {
          if (error._tag === "NoNode" && index === 0) return Effect.as(ensureParents(zk, paths.taken, acl), undefined)
          if (error._tag === "NoNode" && index === 2)
            return Effect.as(createIfMissing(zk, deadLetters.path, { acl }), undefined)
          if (error._tag === "NotEmpty")
            return Effect.fail(new DataInvalid({ path, expected: "an item without children" }))
          // It is being worked on, or another client was faster.
          return isStateConflict(error) ? Effect.succeed(true as const) : Effect.fail(error)
        }
      )
    )
  ).pipe(Effect.asVoid)
}
