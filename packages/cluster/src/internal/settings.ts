/** The options of a storage, checked, and whether the times of the cluster and of the session fit. */
import { checkOptions, checkPath } from "@effect-zookeeper/client/ArgumentCheck"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Layout, makeLayout } from "./layout.ts"

/** Options of everything in this package. */
export interface PrefixOptions {
  /**
   * The znode below which a cluster has its own. It is created when it is needed. Clusters with different prefixes know
   * nothing of each other. Default: `/effect-cluster`.
   */
  readonly prefix?: string | undefined
}

export const known = KnownOptions.make<PrefixOptions>({ prefix: true }, '{ prefix: "/effect-cluster" }')

/** The znodes of the options. */
export const checkedLayout = (options: PrefixOptions): Effect.Effect<Layout, InvalidArgument> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    return makeLayout(yield* checkPath(options.prefix ?? "/effect-cluster"))
  })

/** The times of a cluster, in milliseconds. */
export interface Times {
  /** Between two refreshes, as Sharding makes them. */
  readonly interval: number
  /** How long Sharding waits for the lock of a runner that is gone. */
  readonly expiration: number
  /** Whether the process is to run anything, and not only to send messages. */
  readonly isRunner: boolean
}

/** The times of the cluster, with the refreshes as Sharding makes them. */
export const timesOf = (config: ShardingConfig["Service"]): Times => {
  const expiration = Duration.toMillis(Duration.fromInputUnsafe(config.shardLockExpiration))
  const interval = Duration.toMillis(Duration.fromInputUnsafe(config.shardLockRefreshInterval))
  const isRunner = Option.isSome(config.runnerAddress)
  return { expiration, interval: Math.min(interval, expiration / 3), isRunner }
}

/**
 * The time between a refresh that fails and the order to stop: Sharding tries five times, 50 ms apart. The margin of the
 * session's ownership comes after it.
 */
export const reserve = 300

/** The mistake in the times, with a session timeout that a server has granted; undefined if they fit. */
export const timesProblem = (times: Times, sessionTimeout: number): InvalidArgument | undefined => {
  const { expiration, interval } = times
  const needed = Math.ceil(interval + reserve)
  if (sessionTimeout > expiration)
    return mistake(
      sessionTimeout,
      `a dead runner keeps its shards for the session timeout, so that it must not exceed shardLockExpiration (${expiration} ms): ask for a shorter sessionTimeout, or set shardLockExpiration to at least ${sessionTimeout} ms`
    )
  if (needed > sessionTimeout / 2)
    return mistake(
      sessionTimeout,
      `a proof that the session is held has to outlast the time between two refreshes (${Math.ceil(interval)} ms, the smaller of shardLockRefreshInterval and a third of shardLockExpiration): ask for a sessionTimeout of at least ${2 * needed} ms, or set shardLockRefreshInterval to at most ${Math.floor(sessionTimeout / 3)} ms`
    )
  return undefined
}

// ---- internal

const mistake = (sessionTimeout: number, rule: string): InvalidArgument =>
  new InvalidArgument({ argument: "sessionTimeout", value: `${sessionTimeout} ms`, rule })
