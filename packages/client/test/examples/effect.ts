import { ZooKeeper } from "@effect-zookeeper/client"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  const path = yield* zk.createWithParents("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
  const { data, stat } = yield* zk.get(path)
  yield* zk.set(path, "next", stat.version)
  console.log(path, new TextDecoder().decode(data))
  yield* zk.get("/nowhere")
}).pipe(Effect.catchTag("NoNode", (error) => Effect.sync(() => console.log(error.message))))

// ZOOKEEPER is a connect string, such as zk1:2181,zk2:2181,zk3:2181/app
const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
