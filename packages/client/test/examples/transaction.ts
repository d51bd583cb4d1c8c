import { Op, ZooKeeper } from "@effect-zookeeper/client"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const [path, stat] = yield* zk.transaction([Op.create("/account", { data: "10" }), Op.setData("/account", "9")])
  console.log(path, stat.version)
  yield* zk.transaction([Op.delete("/account"), Op.check("/owner", 3), Op.create("/receipt")])
}).pipe(
  Effect.catchTag("TransactionFailed", ({ error, index }) =>
    Effect.sync(() => console.log(`operation ${index}: ${error.message}`))
  )
)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
