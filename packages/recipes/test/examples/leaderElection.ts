import { ZooKeeper } from "@effect-zookeeper/client"
import { LeaderElection } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const election = yield* LeaderElection.make("/scheduler/leader", { identifier: "scheduler-3" })
  // Interrupted when leadership is lost, and run again when it comes back.
  const result = yield* election.whileLeader((held) =>
    Effect.sync(() => {
      console.log("leading", held.fencingToken > 0n)
      return "finished"
    })
  )
  console.log(result)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
