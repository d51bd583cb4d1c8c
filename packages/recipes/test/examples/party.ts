import { ZooKeeper } from "@effect-zookeeper/client"
import { Party } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const program = Effect.gen(function* () {
  const party = yield* Party.make("/workers")
  // A member until the Scope closes.
  yield* party.join({ id: "worker-7", data: "10.0.0.7:8080" })
  console.log([...(yield* party.members).keys()])
  // Each change from here on; `party.settled("5 seconds")` leaves out what does not last.
  yield* party.changes.pipe(
    Stream.take(1),
    Stream.runForEach((members) => Effect.sync(() => console.log(members.size)))
  )
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
