import { ZNode, ZooKeeper } from "@effect-zookeeper/client"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const ServiceConfig = ZNode.make({
  path: "/config/:service",
  schema: Schema.Struct({ replicas: Schema.Int, owner: Schema.String })
})

const program = Effect.gen(function* () {
  yield* ServiceConfig.createOrSet({ service: "mail" }, { replicas: 2, owner: "ops" })
  yield* ServiceConfig.update({ service: "mail" }, (now) => ({ ...now, replicas: now.replicas + 1 }))
  const { value } = yield* ServiceConfig.get({ service: "mail" })
  console.log(value.replicas, yield* ServiceConfig.list({}))
})

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
