/** The storages of runners that are compared, each with the same times. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeperRunnerStorage from "@effect-zookeeper/cluster/ZooKeeperRunnerStorage"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import type { RunnerStorage } from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Arr from "effect/Array"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Sqlite from "../../packages/cluster/test/support/sqlite.ts"

export const kinds = ["ZooKeeper", "SQLite"] as const

export type Kind = (typeof kinds)[number]

export const isKind = (text: string): text is Kind => kinds.some((kind) => kind === text)

/** Where the storages are, and their times. */
export interface Place {
  /** A connect string, or the file of a database. */
  readonly at: string
  /** Both the session timeout and `shardLockExpiration`, in milliseconds. */
  readonly expiration: number
}

/** A storage that is alone in its process: it shares neither a session nor a connection with another one. */
export const storageOf = (kind: Kind, { at, expiration }: Place, port: number): Layer.Layer<RunnerStorage> => {
  const storage: Layer.Layer<RunnerStorage, unknown, ShardingConfig.ShardingConfig> =
    kind === "ZooKeeper"
      ? Layer.provide(
          ZooKeeperRunnerStorage.layer(),
          Layer.fresh(ZooKeeper.layer({ servers: at, sessionTimeout: expiration }))
        )
      : Layer.provide(SqlRunnerStorage.layer, Layer.fresh(Sqlite.layer(at)))
  return Layer.fresh(storage).pipe(
    Layer.provide(
      ShardingConfig.layer({
        runnerAddress: Option.some(addressOf(port)),
        shardLockExpiration: expiration,
        shardsPerGroup: 100_000
      })
    ),
    Layer.orDie
  )
}

export const addressOf = (port: number): RunnerAddress.RunnerAddress => RunnerAddress.make("127.0.0.1", port)

export const shardsUpTo = (count: number): ReadonlyArray<ShardId.ShardId> =>
  Arr.makeBy(count, (index) => ShardId.make("default", index + 1))
