import { ZooKeeper } from "@effect-zookeeper/client"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* zk.dataChanges("/config").pipe(
    Stream.map(Option.map(({ data }) => new TextDecoder().decode(data))),
    Stream.tap((config) => (Option.isNone(config) ? zk.create("/config", { data: "dark" }) : Effect.void)),
    Stream.take(2),
    Stream.runForEach((config) => Effect.sync(() => console.log(Option.getOrElse(config, () => "nothing yet"))))
  )
})

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
