import { ZooKeeper } from "@effect-zookeeper/client"
import { IdGenerator } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const orders = yield* IdGenerator.make("/ids/orders", { blockSize: 1000 })
  console.log(yield* orders.next, yield* orders.next)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
