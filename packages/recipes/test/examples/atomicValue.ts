import { ZooKeeper } from "@effect-zookeeper/client"
import { AtomicValue } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const program = Effect.gen(function* () {
  const schema = Schema.Struct({ replicas: Schema.Int })
  const config = yield* AtomicValue.make("/config/mail", { schema, initial: { replicas: 1 } })
  const { post, pre } = yield* config.update(({ replicas }) => ({ replicas: replicas + 1 }))
  console.log(pre.replicas, post.replicas)
  const seen = yield* config.getVersioned
  yield* config.set({ replicas: 5 })
  // Somebody has written since.
  console.log((yield* config.compareAndSet(seen, { replicas: 3 })).applied)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
