/**
 * A process with shards, which a test stops and continues. Its arguments are a connect string and a session timeout. It prints
 * `acquired`, then `held` at each refresh that succeeds, and `refused <tag>` at the first that fails.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as ShardId from "effect/cluster/ShardId"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ZooKeeperRunnerStorage from "../../src/ZooKeeperRunnerStorage.ts"

const [servers = "", timeout = ""] = process.argv.slice(2)

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const program = Effect.gen(function* () {
  const storage = yield* ZooKeeperRunnerStorage.make({ prefix: "/cluster" })
  const address = RunnerAddress.make("frozen", 1)
  const shards = [ShardId.make("default", 1), ShardId.make("default", 2)]
  const acquired = yield* storage.acquire(address, shards)
  yield* say(`acquired ${acquired.length}`)
  while (true) {
    yield* storage.refresh(address, shards)
    yield* say("held")
    yield* Effect.sleep("50 millis")
  }
}).pipe(
  Effect.catchTag("PersistenceError", ({ cause }) => say(`refused ${cause instanceof Error ? cause.name : "?"}`)),
  Effect.andThen(Effect.never),
  Effect.scoped,
  Effect.provide(
    Layer.merge(
      ZooKeeper.layer({ servers, sessionTimeout: Number(timeout) }),
      ShardingConfig.layer({ shardLockExpiration: Number(timeout) })
    )
  )
)

NodeRuntime.runMain(program)
