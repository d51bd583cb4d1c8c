import { ZooKeeper } from "@effect-zookeeper/client"
import { PriorityQueue } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const program = Effect.gen(function* () {
  const jobs = yield* PriorityQueue.make("/queues/jobs", { schema: Schema.String })
  yield* jobs.offer("clean up", 900)
  yield* jobs.offer("restore", 10)
  console.log(yield* jobs.take)
  console.log(yield* jobs.take)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
