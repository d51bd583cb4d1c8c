import { ZooKeeper } from "@effect-zookeeper/client"
import { ChildrenCache } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* zk.createWithParents("/workers/seven", { data: "10.0.0.7" })
  const workers = yield* ChildrenCache.make("/workers")
  for (const [name, { data }] of workers.get()) console.log(name, new TextDecoder().decode(data))
  yield* zk.create("/workers/eight")
  yield* workers.changes.pipe(
    Stream.takeUntil(() => workers.get().has("eight")),
    Stream.runDrain
  )
  console.log([...workers.get().keys()].toSorted())
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
