import { ZooKeeper } from "@effect-zookeeper/client"
import { ServiceDiscovery } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const program = Effect.gen(function* () {
  const discovery = yield* ServiceDiscovery.make("/services", { schema: Schema.Struct({ zone: Schema.String }) })
  // There until the Scope closes, whatever becomes of sessions.
  yield* discovery.register({ name: "mail", address: "10.0.0.7", port: 25, payload: { zone: "north" } })

  const mail = yield* discovery.provider("mail", { strategy: "random", downInstances: { threshold: 1 } })
  const instance = Option.getOrThrow(yield* mail.pick)
  console.log(instance.address, instance.port, instance.payload.zone)
  // It did not answer: for half a minute it is not picked.
  yield* mail.noteError(instance)
  console.log(Option.isNone(yield* mail.pick))
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
