import { ZooKeeper } from "@effect-zookeeper/client"
import { DoubleBarrier } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

/** In processes of their own, usually. */
const member = Effect.gen(function* () {
  const barrier = yield* DoubleBarrier.make("/barriers/round", { size: 3 })
  yield* barrier.enter({ timeout: "1 minute" })
  console.log("all are here")
  yield* barrier.leave({ timeout: "1 minute" })
}).pipe(Effect.scoped)

const program = Effect.all([member, member, member], { concurrency: "unbounded" })

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
