import { ZooKeeper } from "@effect-zookeeper/client"
import { Barrier } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const program = Effect.gen(function* () {
  const barrier = yield* Barrier.make("/barriers/migration")
  yield* barrier.create
  // In other processes, usually.
  const worker = barrier.wait({ timeout: "1 minute" }).pipe(Effect.andThen(Effect.sync(() => console.log("working"))))
  const fiber = yield* Effect.forkChild(worker)
  console.log("migrating")
  yield* barrier.lift
  yield* Fiber.join(fiber)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
