/**
 * A copy of a live tree that is kept current: a recursive watch tells what has changed, and a look at the whole tree finds what
 * was missed while a connection was lost.
 *
 * @since 0.1.0
 */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import { watchChanges } from "./internal/live/ChangedPaths.ts"
import type { Known } from "./internal/live/readZnode.ts"
import { TreeFollower, zxidNow } from "./internal/live/TreeFollower.ts"
import { CONCURRENCY } from "./internal/live/walk.ts"
import * as Rules from "./internal/options.ts"
import { isSameEnsemble, overlapOf } from "./internal/restore/overlap.ts"
import { Replica } from "./internal/restore/Replica.ts"
import type { WriteError } from "./internal/restore/Writer.ts"
import type { MaskedAcl } from "./StorageError.ts"
import type { LiveReader } from "./TreeSource.ts"
import type { Options, Status } from "./internal/restore/mirrorModel.ts"

export type { NotRaised, Options, Status } from "./internal/restore/mirrorModel.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The lag of the mirrors of this process in seconds: the age of the oldest change that is not written, or the time for which the
 * source has not been heard, whichever is longer. Each mirror has the attributes `path` and `targetPath`.
 *
 * @example
 * ```ts
 * import { Mirror } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 * import * as Metric from "effect/Metric"
 *
 * const lag = Metric.withAttributes(Mirror.lag, { path: "/app", targetPath: "/app" })
 *
 * export const isCurrent = Effect.map(Metric.value(lag), ({ value }) => value < 5)
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const lag = Metric.gauge("zookeeper_mirror_lag_seconds", {
  description: "The age of the oldest change of the source that a mirror has not written yet"
})

// -----------------------------------------------------------------------------
// mirrors
// -----------------------------------------------------------------------------

/**
 * Copies a subtree of one ensemble to another, and then writes every change there. It runs until it is interrupted, or until an
 * error that does not pass.
 *
 * **Details**
 *
 * The target gets the data and ACLs of the source whatever it had, and the numbers of sequential znodes at least; those that cannot
 * be raised are in the status, with the reason. Ephemeral znodes are left out. Changes that follow each other closely may be written
 * as one. It needs ZooKeeper 3.6 at the source; on older servers it finds changes at each `checkInterval` only.
 *
 * Lost connections and sessions that end are waited for on both sides. After each failure, and at each `checkInterval`, it looks at
 * both trees, so that the target becomes equal to the source whatever was lost, and whatever other clients have written there.
 *
 * It fails with `InvalidArgument` if the target is in the tree that is read, or has that tree in it: the copy would be copied again,
 * without end, or be written over the source. It fails with `NoNode` if the first znode of the source does not exist, with `NoAuth`,
 * with `ConnectionLoss` if eight connections are lost while the same request is with a server, and with the errors of `Restore.run`.
 * Give both clients `sessionExpiry: "recreate"`, which is the default, so that it survives the end of a session.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { Mirror } from "@effect-zookeeper/storage"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const client = (servers: string) =>
 *   Effect.map(Layer.build(Layer.fresh(ZooKeeper.layer({ servers }))), Context.get(ZooKeeper.ZooKeeper))
 *
 * const program = Effect.gen(function* () {
 *   const from = yield* client("zk1:2181")
 *   const to = yield* client("other1:2181")
 *   yield* Mirror.run(from, to, { path: "/app", deletes: true })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category mirrors
 * @since 0.1.0
 */
export const run = (
  from: LiveReader,
  to: Service,
  options: Options = {}
): Effect.Effect<never, ReadError | WriteError | MaskedAcl> =>
  Effect.gen(function* () {
    yield* Rules.checkOptions(known, options)
    const { concurrency = CONCURRENCY, onStatus, owners, path = "/" } = options
    const { targetPath = path } = options
    const source = { zk: from, path }
    const target = { zk: to, path: targetPath }
    const overlap = overlapOf(source, target, "targetPath")
    if (overlap !== undefined && from.session === to.session) return yield* overlap
    let isApart = overlap === undefined
    const lagOfThis = Metric.withAttributes(lag, { path, targetPath })
    const checkInterval = Duration.toMillis(options.checkInterval ?? "1 minute")
    const replica = new Replica(to, path, targetPath, options)
    /** The fingerprints of the znodes of the source that are in the target. */
    const written = new Map<string, Known>()
    let zxid = 0n
    let phase: Status["phase"] = "catchingUp"
    /** When the oldest change came that is not written. */
    let since: number | undefined = yield* Clock.currentTimeMillis
    /** Since when changes may have been made that have not come. */
    let unheard: number | undefined
    const tell = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      if (from.session.state._tag !== "Connected") unheard ??= now
      const behind = Math.max(0, now - Math.min(since ?? now, unheard ?? now))
      yield* Metric.update(lagOfThis, behind / 1000)
      onStatus?.(withJson({ phase, lag: behind, zxid, ...replica.counts, notRaised: replica.notRaised }))
    })
    const report = (newPhase: Status["phase"], newSince: number | undefined) =>
      Effect.suspend(() => {
        phase = newPhase
        since = newSince
        return tell
      })
    // The lag grows also while a side does not answer.
    yield* Effect.forkScoped(Effect.repeat(tell, Schedule.spaced("1 second")))
    const follower = new TreeFollower({
      zk: from,
      root: path,
      concurrency,
      ownerOf: owners,
      skipsUnreadable: false,
      known: written,
      onRead: (entries) => Effect.andThen(atTarget(replica.write(entries)), tell),
      onGone: (paths) => atTarget(replica.remove(paths)),
      onVisited: () => {}
    })
    /** From a look at both trees until something fails. */
    const follow = Effect.gen(function* () {
      if (!isApart && overlap !== undefined) {
        if (yield* isSameEnsemble(source, target, atTarget)) return yield* overlap
        isApart = true
      }
      const changes = yield* watchChanges(from, path)
      let checked = Number.NEGATIVE_INFINITY
      while (true) {
        const newest = yield* zxidNow(from, path)
        const { hasGap, paths, since: oldest } = yield* changes.take
        const now = yield* Clock.currentTimeMillis
        const isDue = now - checked >= checkInterval
        if (isDue || hasGap) {
          // After a failure, what came before it is not written.
          if (checked < 0) yield* report("catchingUp", Math.min(since ?? now, oldest ?? now))
          else yield* report(hasGap ? "catchingUp" : "following", oldest)
          if (isDue) {
            yield* atTarget(replica.look)
            // Written again, unless it is right in the target.
            for (const known of written.keys()) if (!replica.isUnchanged(known)) written.delete(known)
          }
          yield* follower.pass
          yield* atTarget(replica.removeOthers(written))
          checked = isDue ? now : checked
        } else if (paths.length > 0) {
          yield* report("following", oldest)
          yield* follower.catchUp(paths)
          yield* atTarget(replica.removeSurplus)
        }
        zxid = newest
        unheard = undefined
        yield* report("following", changes.since())
        const pause = Math.max(1, checked + checkInterval - (yield* Clock.currentTimeMillis))
        yield* Effect.timeoutOption(changes.changed, pause)
      }
    })
    // Requests make their own pauses, which grow. These do not, for they would have grown for good in a mirror's life.
    return yield* Effect.retry(Effect.scoped(follow), {
      while: (error) => isPassing(error, from, to, path),
      schedule: Schedule.spaced("1 second")
    })
  }).pipe(
    Effect.mapError((error) => (error._tag === "AtTarget" ? error.error : error)),
    Effect.scoped
  )

// ---- internal

const known = Rules.make<Options>(
  {
    path: Rules.znodePath,
    targetPath: Rules.znodePath,
    deletes: Rules.flag,
    owners: Rules.callback,
    checkInterval: Rules.duration,
    onStatus: Rules.callback,
    acl: Rules.callback,
    kinds: Rules.oneOf("keep", "persistent"),
    counters: Rules.flag,
    maxRaise: Rules.limit(0),
    concurrency: Rules.count
  },
  '{ path: "/app" }'
)

/** An error of the source, or of the target. */
type Failure = ReadError | AtTarget

interface AtTarget {
  readonly _tag: "AtTarget"
  readonly error: WriteError | MaskedAcl
}

const atTarget = <A>(effect: Effect.Effect<A, WriteError | MaskedAcl>): Effect.Effect<A, AtTarget> =>
  Effect.mapError(effect, (error) => ({ _tag: "AtTarget", error }))

/** Whether another look at both trees may help: a connection or a session was lost, or other clients write into the target. */
const isPassing = (failure: Failure, from: LiveReader, to: LiveReader, root: string): Effect.Effect<boolean> => {
  const isOfTarget = failure._tag === "AtTarget"
  const error = isOfTarget ? failure.error : failure
  if (error._tag === "SessionExpired") return Outcome.isSessionReplaced((isOfTarget ? to : from).session)
  if (Outcome.isTransient(error)) return Effect.succeed(true)
  return Effect.succeed(
    isOfTarget
      ? error._tag === "NoNode" || error._tag === "BadVersion" || error._tag === "NodeExists"
      : error._tag === "NoNode" && error.path !== root
  )
}
