/** A process of its own: it connects, works and closes a hundred times, and must then end by itself. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Session from "../../src/Session.ts"

const layer = Session.layer({ servers: process.argv[2] }).pipe(Layer.provide(Transport.layer()))

const work = Session.Session.use((session) =>
  session.request(Operations.exists, { path: "/zookeeper", watch: true }, "/zookeeper")
)

let times = 0
const once = Effect.provide(
  Effect.tap(work, () => Effect.sync(() => times++)),
  Layer.fresh(layer)
)
await Effect.runPromise(Effect.repeat(once, { times: 99 }))
process.stdout.write(`done ${times}\n`)
