import { ZooKeeper } from "@effect-zookeeper/client"
import { TreeCache } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* zk.createWithParents("/config/mail/port", { data: "25" })
  const config = yield* TreeCache.make("/config")
  const { snapshot } = config
  for (const [path] of snapshot.entries()) console.log(path)

  const newest = yield* config.changes.pipe(
    Stream.dropUntil((event) => event._tag === "Synced"),
    Stream.filter((event) => event._tag === "Created"),
    Stream.take(1),
    Stream.runForEach((event) => Effect.sync(() => console.log("new", event.path))),
    Effect.forkChild({ startImmediately: true })
  )
  yield* zk.create("/config/mail/host")
  yield* Fiber.join(newest)
  console.log(config.children("/config/mail").size, snapshot.children("/config/mail").size)
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
