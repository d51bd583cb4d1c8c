import { ZooKeeper } from "@effect-zookeeper/client"
import { Lease } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const lease = yield* Lease.make("/leases/import", { duration: "1 minute", identifier: "importer-1" })
  yield* lease.withLease(
    (held) =>
      Effect.gen(function* () {
        console.log((yield* lease.holders).map(({ identifier }) => identifier))
        // Another minute.
        yield* held.renew
      }),
    { timeout: "10 seconds" }
  )
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
