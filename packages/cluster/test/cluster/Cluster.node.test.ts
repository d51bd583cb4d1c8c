/** Effect's own composition of a runner, and of a process that only sends, with the storage of this package. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { freePorts } from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { assert } from "@effect/vitest"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ZooKeeperRunnerStorage from "../../src/ZooKeeperRunnerStorage.ts"
import { Account } from "../support/clusters.ts"
import * as Sqlite from "../support/sqlite.ts"
import { describeOnServers, sessionTimeout } from "../support/targets.ts"

describeOnServers("NodeClusterSocket.layer", (test) => {
  test("takes the storage, for a runner and for a process that only sends", function* ({ another }) {
    const database = yield* Layer.build(Sqlite.layer())
    const messages = SqlMessageStorage.layer.pipe(
      Layer.provide(NodeCrypto.layerDigest),
      Layer.provide(Layer.succeedContext(database))
    )
    const storageOf = (zk: ZooKeeper.Service) =>
      Layer.provide(ZooKeeperRunnerStorage.layer(), Layer.succeed(ZooKeeper.ZooKeeper, zk))
    const [port] = yield* freePorts(1)
    const common = { storage: "byo", serialization: "ndjson" } as const
    const times = { shardLockExpiration: sessionTimeout, refreshAssignmentsInterval: 200 }

    const ofRunner = { ...times, runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port!)) }
    const accounts = Account.toLayer({
      Add: ({ payload: { amount } }) => Effect.succeed({ total: amount, runner: 7 })
    })
    const runner = accounts.pipe(
      Layer.provide(NodeClusterSocket.layer({ ...common, shardingConfig: ofRunner })),
      Layer.provide([storageOf(yield* another()), messages]),
      Layer.provide(ShardingConfig.layer(ofRunner))
    )
    yield* Layer.build(Layer.fresh(runner))

    const ofSender = { ...times, runnerAddress: Option.none() }
    const sender = NodeClusterSocket.layer({ ...common, clientOnly: true, shardingConfig: ofSender }).pipe(
      Layer.provide([storageOf(yield* another()), messages]),
      Layer.provide(ShardingConfig.layer(ofSender))
    )
    const client = yield* Effect.provide(Account.client, yield* Layer.build(Layer.fresh(sender)))
    assert.deepStrictEqual(yield* client("one").Add({ id: "1", amount: 2 }), { total: 2, runner: 7 })
  })
})
