/**
 * Effect Cluster's `RunnerStorage` on ZooKeeper: runners, the locks of shards, and machine ids.
 *
 * - A runner is registered, and has its machine id, for as long as its session lives. A machine id is the lowest number that
 *   no living session has, from 0 to 1,023.
 * - A shard is an ephemeral znode. A runner has it only while a quorum of the ensemble provably holds its session, and no
 *   other runner can have it meanwhile: not when the network splits, nor when a member of the ensemble answers alone.
 * - `refresh` asks no server. It succeeds if ownership is proved until the next refresh, waits for a proof otherwise, and
 *   fails while there is still time to stop what runs. Then Effect's Sharding interrupts it.
 * - When the session is replaced, all shards are lost at once. Locks of a former session are never deleted: they end with it.
 * - Each call ends within the interval of the refreshes, and fails with `PersistenceError`, whose `cause` is an error of this
 *   package or of the client.
 *
 * Messages belong into a database: take Effect's `SqlMessageStorage` beside it.
 *
 * `effect/cluster` is unstable in Effect 4.1, so the peer range of this package is `~4.1`.
 *
 * @since 0.1.0
 */
import { checkOptions } from "@effect-zookeeper/client/ArgumentCheck"
import { acquireForked } from "@effect-zookeeper/client/Detached"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { PersistenceError } from "effect/cluster/ClusterError"
import { RunnerStorage } from "effect/cluster/RunnerStorage"
import { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { makeStorage } from "./internal/makeStorage.ts"
import { checkedLayout, known, type PrefixOptions, timesOf } from "./internal/settings.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of {@link make} and {@link layer}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends PrefixOptions {}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A storage that gives everything back when the Scope closes.
 *
 * It fails with `InvalidArgument` if the session timeout that the server has granted does not fit the times of
 * `ShardingConfig`: it must not exceed `shardLockExpiration`, which is how long other runners wait for the shards of a dead
 * one, and has to be more than twice the interval of the refreshes, which is the smaller of `shardLockRefreshInterval` and a
 * third of `shardLockExpiration`. With Effect's defaults (10 and 35 seconds) a `sessionTimeout` of 30 seconds fits; for
 * shards that move within ten seconds set both `sessionTimeout` and `shardLockExpiration` to 10 seconds. Of a process
 * without a `runnerAddress`, which only sends messages, nothing of that is asked. The `ShardingConfig` of the storage has to
 * say so (`runnerAddress: Option.none()`), also with Effect's client-only layers. It fails with
 * `PersistenceError` if the znodes below `prefix` cannot be created.
 *
 * @example
 * ```ts
 * import { ZooKeeperRunnerStorage } from "@effect-zookeeper/cluster"
 * import * as Effect from "effect/Effect"
 *
 * export const runners = Effect.gen(function* () {
 *   const storage = yield* ZooKeeperRunnerStorage.make({ prefix: "/shop" })
 *   return yield* storage.getRunners
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options = {}
): Effect.Effect<
  RunnerStorage["Service"],
  InvalidArgument | PersistenceError,
  ZooKeeper.ZooKeeper | ShardingConfig | Scope.Scope
> =>
  acquireForked((restore) =>
    restore(
      Effect.gen(function* () {
        const layout = yield* checkedLayout(options)
        const times = timesOf(yield* ShardingConfig)
        return yield* makeStorage(yield* ZooKeeper.ZooKeeper, layout, times)
      })
    )
  )

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * Provides the storage as Effect's `RunnerStorage`. It has the errors of {@link make}.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { ZooKeeperRunnerStorage } from "@effect-zookeeper/cluster"
 * import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
 * import type { MessageStorage } from "effect/cluster/MessageStorage"
 * import * as ShardingConfig from "effect/cluster/ShardingConfig"
 * import * as Layer from "effect/Layer"
 *
 * declare const messages: Layer.Layer<MessageStorage>
 *
 * const times = { shardLockExpiration: "10 seconds" } as const
 *
 * const storage = ZooKeeperRunnerStorage.layer({ prefix: "/shop" }).pipe(
 *   Layer.provide(ZooKeeper.layer({ servers: "zk1:2181,zk2:2181,zk3:2181", sessionTimeout: "10 seconds" })),
 *   Layer.provide(ShardingConfig.layerFromEnv(times))
 * )
 *
 * export const cluster = NodeClusterSocket.layer({ storage: "byo", shardingConfig: times }).pipe(
 *   Layer.provide([storage, messages])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<RunnerStorage, InvalidArgument | PersistenceError, ZooKeeper.ZooKeeper | ShardingConfig> =>
  Layer.effect(RunnerStorage, make(options))

/**
 * The same as {@link layer}, with options from the configuration. It also fails with `ConfigError`.
 *
 * @example
 * ```ts
 * import { ZooKeeperRunnerStorage } from "@effect-zookeeper/cluster"
 * import * as Config from "effect/Config"
 *
 * export const storage = ZooKeeperRunnerStorage.layerConfig({ prefix: Config.String("CLUSTER_PREFIX") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<Options>
): Layer.Layer<
  RunnerStorage,
  InvalidArgument | PersistenceError | Config.ConfigError,
  ZooKeeper.ZooKeeper | ShardingConfig
> =>
  Layer.effect(
    RunnerStorage,
    // Here, because they are unwrapped one by one.
    (Config.isConfig(config) ? Effect.void : checkOptions(known, config ?? null, "config")).pipe(
      Effect.andThen(Effect.suspend(() => Config.unwrap(config))),
      Effect.flatMap(make)
    )
  )
