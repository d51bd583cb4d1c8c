/**
 * Writes a tree into an ensemble: a backup that is restored, or any other `TreeSource` that is copied. Data, ACLs, containers, TTLs
 * and the numbers of sequential znodes are kept. Nothing is deleted, and nothing newer is overwritten unless that is asked for.
 *
 * @since 0.1.0
 */
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Stream from "effect/Stream"
import { checkAclReaders } from "./internal/live/aclReaders.ts"
import * as Rules from "./internal/options.ts"
import { isSameEnsemble, overlapOf, type Place } from "./internal/restore/overlap.ts"
import { Restorer } from "./internal/restore/Restorer.ts"
import type { WriteError } from "./internal/restore/Writer.ts"
import type { LiveReader, TreeSource } from "./TreeSource.ts"
import type { Options, PlanError, RunError, Step, Summary } from "./internal/restore/model.ts"

export type { Options, PlanError, RunError, Step, Summary } from "./internal/restore/model.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `run`.
 *
 * @category options
 * @since 0.1.0
 */
export interface RunOptions extends Options {
  /** Gets each step when it is done. It must return at once and not throw. */
  readonly onStep?: ((step: Step) => void) | undefined
}

// -----------------------------------------------------------------------------
// restoring
// -----------------------------------------------------------------------------

/**
 * A dry run: what `run` would do now. Nothing is written. It has a step for each znode of the source, and then one for each number
 * that would be raised.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { Restore, TreeSource } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const source = yield* TreeSource.backup("/backups/app.ndjson.gz")
 *   yield* Restore.plan(source, zk).pipe(
 *     Stream.filter(({ _tag }) => _tag === "Overwrite" || _tag === "Leave"),
 *     Stream.runForEach((step) => Effect.log(step))
 *   )
 * })
 * ```
 *
 * @category restoring
 * @since 0.1.0
 */
export const plan = <E, R>(
  source: TreeSource<E, R>,
  zk: LiveReader,
  options: Options = {}
): Stream.Stream<Step, E | PlanError, R> =>
  Rules.checkOptions(knownPlan, options).pipe(
    Effect.andThen(checkAclReaders(zk, options)),
    Effect.andThen(Effect.suspend(() => checked(source, zk, options))),
    Effect.tap(() =>
      refuseOverlap(source, zk, options, ({ zk: client }) => Effect.succeed(client.session === zk.session))
    ),
    Effect.map((restorer) => restorer.plan()),
    Stream.unwrap
  )

/**
 * Writes the tree of a source into an ensemble, and gives the number of steps of each kind. `onStep` gets each step when it is done.
 *
 * **Details**
 *
 * Znodes are created and overwritten in transactions, parents before their children, each with the version that was seen, so that
 * a write of another client meanwhile is not lost. Missing ancestors of the first znode are created as persistent znodes. The
 * numbers of sequential znodes are raised at the end, by creating and deleting children; watches on children fire for that.
 *
 * A live tree is not copied into itself, where the copy would be copied again without end, and not to a place that has it in it:
 * that is `InvalidArgument`, also where the two clients know the ensemble by different names. `plan` sees it only where both trees
 * have the same client.
 *
 * A run that was interrupted can be run again: it goes on where the other has ended, and ends with the same tree. Where the ACL of a
 * znode would keep this client from its children, it has an entry for this client until all of it is done.
 *
 * **Gotchas**
 *
 * Each znode gets new zxids, times and versions. TTL znodes need `zookeeper.extendedTypesEnabled=true` on the servers; without it
 * `ServerRefused` with the name `Unimplemented` says so, and `kinds: "persistent"` helps.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { Restore, TreeSource } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const source = yield* TreeSource.backup("/backups/app.ndjson.gz")
 *   const { Create, Leave, Skip } = yield* Restore.run(source, zk, { path: "/app-restored" })
 *   yield* Effect.log(`${Create} created, ${Leave} left as they are, ${Skip} ephemeral ones skipped`)
 * })
 * ```
 *
 * @category restoring
 * @since 0.1.0
 */
export const run = <E, R>(
  source: TreeSource<E, R>,
  zk: Service,
  options: RunOptions = {}
): Effect.Effect<Summary, E | RunError, R> =>
  Rules.checkOptions(knownRun, options).pipe(
    Effect.andThen(checkAclReaders(zk, options)),
    Effect.andThen(Effect.suspend(() => checked(source, zk, options))),
    Effect.tap(() =>
      refuseOverlap(source, zk, options, (from, to) => isSameEnsemble<WriteError>(from, { ...to, zk }, identity))
    ),
    Effect.flatMap((restorer) => restorer.run(zk, options.onStep))
  )

// ---- internal

const planKeys: Rules.Rules<Options> = {
  path: Rules.znodePath,
  aclReaders: Rules.clients,
  overwrite: Rules.oneOf("older", "never", "always"),
  acl: Rules.callback,
  kinds: Rules.oneOf("keep", "persistent"),
  counters: Rules.flag,
  maxRaise: Rules.limit(0),
  concurrency: Rules.count,
  onProgress: Rules.callback
}

const knownPlan = Rules.make<Options>(planKeys, '{ path: "/app" }')

const knownRun = Rules.make<RunOptions>({ ...planKeys, onStep: Rules.callback }, '{ path: "/app" }')

const checked = <E, R>(source: TreeSource<E, R>, zk: LiveReader, options: Options) =>
  Effect.map(
    Effect.fromResult(ZnodePath.validate(options.path ?? source.root)),
    (path) => new Restorer(source, zk, path, options)
  )

/** Refuses to write a live tree into itself, or around itself. */
const refuseOverlap = <E, R, E2>(
  source: TreeSource<E, R>,
  zk: LiveReader,
  options: Options,
  isSame: (from: Place<LiveReader>, to: Place<LiveReader>) => Effect.Effect<boolean, E2>
) => {
  const { client, root } = source
  if (client === undefined) return Effect.void
  const from = { zk: client, path: root }
  const to = { zk, path: options.path ?? root }
  const overlap = overlapOf(from, to, "path")
  if (overlap === undefined) return Effect.void
  return Effect.flatMap(isSame(from, to), (same) => (same ? Effect.fail(overlap) : Effect.void))
}
