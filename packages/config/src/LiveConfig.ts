/**
 * Configuration that follows ZooKeeper: a `Config` that is decoded anew whenever its sub-tree changes.
 *
 * **Guarantees**
 *
 * - Every value was a state that the ensemble had committed: the whole sub-tree at one moment, never a part of an older and a
 *   part of a newer one (see `Snapshot`). Several znodes that change in one transaction change together.
 * - A state that does not decode is never shown. The last good value stays, a warning says why, and so does `status`.
 * - It never goes back to an older state, whatever happens to connections and sessions.
 * - Once nothing changes any more, the value is that of the tree, if that decodes. Of many changes in a short time some
 *   are left out.
 * - An outage does not touch the value: `status.freshness` is `stale`. Nothing fails but `changes`, and that only when the
 *   session has ended for good (`sessionExpiry: "fail"`, refused credentials).
 *
 * It does not guarantee to be up to date: a change is seen when its event has come and the tree has been read, which takes
 * some milliseconds, and in an outage when that is over. For a decision that must not rely on old data, read the znode.
 *
 * A sub-tree is read as a whole, so keep it small: what one service needs. Since ZooKeeper 3.6 one recursive watch tells of
 * changes. Servers that are older, refuse the watch or drop each connection with it are asked each `pollInterval`.
 *
 * @since 0.1.0
 */
import { checkCount, checkDuration, checkOptions, checkPath } from "@effect-zookeeper/client/ArgumentCheck"
import { acquireForked } from "@effect-zookeeper/client/Detached"
import { type InvalidArgument, SessionClosed } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Config from "effect/Config"
import type { ConfigProvider } from "effect/ConfigProvider"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { decodeWith, type Follower, followSession, readWhenDue, watch } from "./internal/live/follow.ts"
import { LiveState } from "./internal/live/LiveState.ts"
import type { LiveConfig, Problem } from "./internal/live/model.ts"
import { ReadTrigger } from "./internal/live/ReadTrigger.ts"
import type { Snapshot } from "./internal/snapshot/model.ts"
import type { Options as SnapshotOptions } from "./Snapshot.ts"
import type { SnapshotFile } from "./SnapshotFile.ts"
import { type DecodeOptions, fromSnapshot } from "./ZooKeeperConfigProvider.ts"

export type { LiveConfig, Problem, Status } from "./internal/live/model.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of {@link make} and {@link layer}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends SnapshotOptions, DecodeOptions {
  /** The root of the sub-tree, such as `/config/mail`. It may be missing, and come later. */
  readonly path: string
  /**
   * Other providers before or behind the tree, such as the environment: it gets the tree's, and gives the one to decode
   * from. Their values count as they are when the tree changes. Default: the tree alone.
   */
  readonly compose?: ((tree: ConfigProvider) => ConfigProvider) | undefined
  /** Where to keep the last good state for starts without ZooKeeper. Default: nowhere. */
  readonly file?: SnapshotFile | undefined
  /**
   * How long a start waits for the tree before it takes the state of `file`. A tree that can be read and does not decode is
   * not waited for. Numbers are milliseconds. Default 5 seconds.
   */
  readonly fileAfter?: Duration.Input | undefined
  /**
   * How often to look for changes where no watch tells of them: on servers before ZooKeeper 3.6, and on those that refuse it.
   * Numbers are milliseconds. Default 5 seconds.
   */
  readonly pollInterval?: Duration.Input | undefined
}

const known = KnownOptions.make<Options>(
  {
    path: true,
    compose: true,
    decoder: true,
    file: true,
    fileAfter: true,
    maxNodes: true,
    attempts: true,
    pollInterval: true
  },
  '{ path: "/config/mail" }'
)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Reads the sub-tree, decodes it, and follows it until the Scope closes.
 *
 * It waits for the first state of the tree. If that does not decode it fails with `ConfigError`, and otherwise as
 * `Snapshot.read` does, unless `file` has a good one.
 *
 * @example
 * ```ts
 * import { LiveConfig } from "@effect-zookeeper/config"
 * import * as Config from "effect/Config"
 * import * as ConfigProvider from "effect/ConfigProvider"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const Mail = Config.all({ host: Config.String("host"), port: Config.Port("port") })
 *
 * export const program = Effect.gen(function* () {
 *   const mail = yield* LiveConfig.make(Mail, {
 *     path: "/config/mail",
 *     // The environment overrides the tree.
 *     compose: (tree) => ConfigProvider.orElse(ConfigProvider.fromEnv(), tree)
 *   })
 *   yield* Effect.log("now", mail.current.host)
 *   yield* Stream.runForEach(mail.changes, ({ host, port }) => Effect.log("connect to", host, port))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(
  config: Config.Config<A>,
  options: Options
): Effect.Effect<LiveConfig<A>, Problem | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  acquireForked((restore) =>
    restore(
      Effect.gen(function* () {
        yield* checkOptions(known, options)
        const { compose = (tree) => tree, decoder, file } = options
        const path = yield* checkPath(options.path)
        const fileAfter = yield* checkDuration("fileAfter", options.fileAfter ?? "5 seconds")
        const first = Deferred.makeUnsafe<void, Problem>()
        const state = yield* LiveState.make<A>(path)
        const self: Follower<A> = {
          zk: yield* ZooKeeper.ZooKeeper,
          path,
          limits: {
            maxNodes: yield* checkCount("maxNodes", options.maxNodes ?? 10_000),
            attempts: yield* checkCount("attempts", options.attempts ?? 100)
          },
          pollInterval: yield* checkDuration("pollInterval", options.pollInterval ?? "5 seconds"),
          decode: (snapshot) => decodeWith(config, () => compose(fromSnapshot(snapshot, { decoder }))),
          file,
          state,
          due: new ReadTrigger(),
          onRead: (outcome) => Deferred.doneUnsafe(first, Effect.fromResult(outcome))
        }
        yield* Effect.addFinalizer(() => Effect.sync(() => state.end(new SessionClosed({}))))
        for (const loop of [readWhenDue(self), watch(self), followSession(self)]) yield* Effect.forkScoped(loop)
        yield* file === undefined ? Deferred.await(first) : awaitTreeOrFile(self, first, file, fileAfter)
        return state.toLiveConfig()
      })
    )
  )

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * A live configuration as a service of your own, which other services depend on.
 *
 * @example
 * ```ts
 * import { LiveConfig } from "@effect-zookeeper/config"
 * import * as Config from "effect/Config"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 *
 * const mail = Config.all({ host: Config.String("host"), port: Config.Port("port") })
 *
 * export class MailConfig extends Context.Service<MailConfig, LiveConfig.LiveConfig<Config.Success<typeof mail>>>()(
 *   "app/MailConfig"
 * ) {
 *   static readonly layer = LiveConfig.layer(MailConfig, mail, { path: "/config/mail" })
 * }
 *
 * export const send = Effect.gen(function* () {
 *   const { host } = (yield* MailConfig).current
 *   yield* Effect.log("sending by", host)
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <I, A>(
  service: Context.Key<I, LiveConfig<A>>,
  config: Config.Config<A>,
  options: Options
): Layer.Layer<I, Problem | InvalidArgument, ZooKeeper.ZooKeeper> => Layer.effect(service, make(config, options))

// ---- internal

/** Returns with a value: of the tree, or of the file if the tree has none in time. */
const awaitTreeOrFile = Effect.fnUntraced(function* <A>(
  self: Follower<A>,
  first: Deferred.Deferred<void, Problem>,
  file: SnapshotFile,
  fileAfter: number
): Effect.fn.Return<void, Problem> {
  const tree = yield* Effect.result(Deferred.await(first)).pipe(Effect.timeoutOption(fileAfter))
  if (Option.isSome(tree) && Result.isSuccess(tree.value)) return
  const saved = yield* loadFile(self, file)
  // The tree may have come meanwhile.
  if (self.state.hasValue) return
  if (Option.isNone(saved)) {
    yield* Deferred.await(first)
    return
  }
  self.state.publish(saved.value, "file")
  const reason =
    Option.isSome(tree) && Result.isFailure(tree.value) ? tree.value.failure.message : "ZooKeeper does not answer"
  yield* Effect.logWarning(
    `the configuration at ${Printable.escape(self.path)} begins with ${Printable.escape(file.file)}: ${Printable.escape(reason)}`
  )
})

/** The value in the file, if it is there and decodes. */
const loadFile = <A>(self: Follower<A>, file: SnapshotFile): Effect.Effect<Option.Option<A>> =>
  file.load.pipe(
    Effect.map(Option.filter((saved: Snapshot) => saved.path === self.path)),
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.succeedNone,
        onSome: (saved) => Effect.asSome(self.decode(saved))
      })
    ),
    Effect.catch((error) => Effect.as(Effect.logWarning(error.message), Option.none<A>()))
  )
