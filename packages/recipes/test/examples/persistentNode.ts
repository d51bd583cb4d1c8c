import { ZooKeeper } from "@effect-zookeeper/client"
import { PersistentNode } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  // There until the Scope closes, under each session that follows this one.
  const node = yield* PersistentNode.make("/workers/seven", { data: "10.0.0.7:8080" })
  console.log(node.status._tag)
  yield* node.setData("10.0.0.7:8081")
  console.log(new TextDecoder().decode(yield* zk.getData("/workers/seven")))
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
