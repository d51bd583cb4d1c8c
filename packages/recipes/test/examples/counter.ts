import { ZooKeeper } from "@effect-zookeeper/client"
import { Counter } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const visits = yield* Counter.make("/counters/visits", { layout: "exact" })
  const { post, pre } = yield* visits.increment
  console.log(pre, post)
  yield* visits.add(41n)
  console.log(yield* visits.get)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
