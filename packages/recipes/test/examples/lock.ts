import { ZooKeeper } from "@effect-zookeeper/client"
import { Lock } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const lock = yield* Lock.make("/locks/report")
  const report = Effect.sync(() => console.log("reporting"))
  // Interrupted when the lock is lost, before another can have it.
  yield* lock.withLock(report, { timeout: "10 seconds" })
  console.log("done")
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
