import { ZooKeeper } from "@effect-zookeeper/client"
import { Allocator } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const allocator = yield* Allocator.make("/shards", { id: "worker-7", items: ["a", "b", "c"], quiet: "100 millis" })
  const done = yield* Deferred.make<void>()
  // Interrupted before an item is another's, and begun anew with what is left.
  const work = allocator.whileAllocated((items) =>
    Effect.gen(function* () {
      console.log(items)
      yield* Deferred.succeed(done, undefined)
    })
  )
  yield* Effect.raceFirst(work, Deferred.await(done))
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
