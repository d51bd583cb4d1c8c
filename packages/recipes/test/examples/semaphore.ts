import { ZooKeeper } from "@effect-zookeeper/client"
import { Semaphore } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const semaphore = yield* Semaphore.make("/limits/exports", { permits: 4 })
  const exporting = Effect.gen(function* () {
    console.log("exporting,", yield* semaphore.available, "permits left")
  })
  // Interrupted when the permit is lost, before another can have it.
  yield* semaphore.withPermit(exporting, { timeout: "10 seconds" })
  // All three or none.
  yield* semaphore.withPermits(3, exporting)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
