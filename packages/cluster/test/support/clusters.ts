/** Runners of a whole cluster in one process, each with a session of its own, and their messages in one SQLite database. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as ClusterCron from "effect/cluster/ClusterCron"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Entity from "effect/cluster/Entity"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import { Sharding } from "effect/cluster/Sharding"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Singleton from "effect/cluster/Singleton"
import * as SocketRunner from "effect/cluster/SocketRunner"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as Context from "effect/Context"
import * as Cron from "effect/Cron"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import * as ZooKeeperRunnerHealth from "../../src/ZooKeeperRunnerHealth.ts"
import * as ZooKeeperRunnerStorage from "../../src/ZooKeeperRunnerStorage.ts"
import { sessionTimeout } from "./targets.ts"

/** An account: adds up, and says which runner has it. */
export const Account = Entity.make("Account", [
  Rpc.make("Add", {
    payload: { id: Schema.String, amount: Schema.Number },
    primaryKey: ({ id }) => id,
    success: Schema.Struct({ total: Schema.Number, runner: Schema.Number })
  }).annotate(ClusterSchema.Persisted, true)
])

/** Counts what runs at once: of each name one at a time. */
export class Running {
  readonly violations: Array<string> = []
  /** Where each name ran, one after the other. */
  readonly history: Array<{ readonly name: string; readonly runner: number; readonly since: number }> = []
  private readonly inside = new Map<string, Set<number>>()

  /** Runs within a Scope. */
  enter(name: string, runner: number): Effect.Effect<void, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => {
        const inside = this.inside.get(name) ?? new Set()
        this.inside.set(name, inside)
        inside.add(runner)
        if (inside.size > 1) this.violations.push(`${name} on ${[...inside].join(" and ")}`)
        this.history.push({ name, runner, since: performance.now() })
      }),
      () => Effect.sync(() => void this.inside.get(name)?.delete(runner))
    )
  }

  /** The runners that have it now. */
  on(name: string): ReadonlyArray<number> {
    return [...(this.inside.get(name) ?? [])]
  }
}

export interface ClusterRunner {
  readonly number: number
  readonly zk: ZooKeeper.Service
  readonly sharding: Sharding["Service"]
  /** Adds to an account, from this runner. */
  readonly add: (
    account: string,
    id: string,
    amount: number
  ) => Effect.Effect<{ readonly total: number; readonly runner: number }, unknown>
  /** Shuts it down in order. */
  readonly stop: Effect.Effect<void>
}

/** The totals of accounts, as the entities' own database. */
export type Totals = Map<string, number>

export const shardCount = 60

/** Starts a runner. Its client may be cut off. */
export const startRunner = Effect.fnUntraced(function* (options: {
  readonly number: number
  readonly port: number
  readonly zk: ZooKeeper.Service
  readonly database: Context.Context<SqlClient>
  readonly running: Pick<Running, "enter">
  readonly totals: Totals
  readonly ticks: Array<number>
  /** Milliseconds. Default: that of the other tests. */
  readonly expiration?: number
}): Effect.fn.Return<ClusterRunner, never, Scope.Scope> {
  const { database, number, port, running, ticks, totals, zk } = options
  const accounts = Account.toLayer(
    Effect.gen(function* () {
      const { entityId } = yield* Entity.CurrentAddress
      yield* running.enter(`account ${entityId}`, number)
      return {
        Add: ({ payload: { amount } }) =>
          Effect.sync(() => {
            const total = (totals.get(entityId) ?? 0) + amount
            totals.set(entityId, total)
            return { total, runner: number }
          })
      }
    })
  )
  const singleton = (name: string) =>
    Singleton.make(`singleton ${name}`, Effect.andThen(running.enter(name, number), Effect.never))
  const singletons = Layer.mergeAll(singleton("first"), singleton("second"), singleton("third"))
  const cron = ClusterCron.make({
    name: "tick",
    cron: Cron.parseUnsafe("* * * * * *"),
    execute: Effect.scoped(
      Effect.andThen(
        running.enter("cron", number),
        Effect.sync(() => ticks.push(number))
      )
    )
  })
  const cluster = Layer.mergeAll(accounts, singletons, cron).pipe(
    Layer.provideMerge(SocketRunner.layer),
    Layer.provide([NodeClusterSocket.layerSocketServer, NodeClusterSocket.layerClientProtocol]),
    Layer.provide([ZooKeeperRunnerStorage.layer(), ZooKeeperRunnerHealth.layer()]),
    Layer.provide(SqlMessageStorage.layer.pipe(Layer.provide(NodeCrypto.layerDigest))),
    Layer.provide(
      ShardingConfig.layer({
        runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port)),
        shardsPerGroup: shardCount,
        shardLockExpiration: options.expiration ?? sessionTimeout,
        refreshAssignmentsInterval: 200,
        entityMessagePollInterval: 200,
        entityTerminationTimeout: 500,
        sendRetryInterval: 50,
        runnerHealthCheckInterval: 500
      })
    ),
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(Layer.succeed(ZooKeeper.ZooKeeper, zk)),
    Layer.provide(Layer.succeedContext(database))
  )
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.build(Layer.fresh(cluster)).pipe(Scope.provide(scope), Effect.orDie)
  const client = yield* Effect.provideContext(Account.client, context)
  return {
    number,
    zk,
    sharding: Context.get(context, Sharding),
    add: (account, id, amount) => client(account).Add({ id, amount }),
    stop: Scope.close(scope, Exit.void)
  }
})

/** How many shards a runner has. */
export const ownedBy = (runner: ClusterRunner): number => {
  let count = 0
  for (let id = 1; id <= shardCount; id++) if (runner.sharding.hasShardId(ShardId.make("default", id))) count++
  return count
}
