import { ZooKeeper } from "@effect-zookeeper/client"
import { Queue } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const program = Effect.gen(function* () {
  const mails = yield* Queue.make("/queues/mail", { schema: Schema.Struct({ to: Schema.String }) })
  yield* mails.offerAll([{ to: "alice" }, { to: "bob" }])
  // At least once: it goes when it is done, and is given back otherwise. `mails.consume` goes on for ever.
  yield* mails.consumeOne((mail) => Effect.sync(() => console.log("sending to", mail.to)))
  // At most once: it is gone when it is handed out.
  console.log((yield* mails.take).to)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
