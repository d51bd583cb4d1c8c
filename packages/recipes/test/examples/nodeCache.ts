import { ZooKeeper } from "@effect-zookeeper/client"
import { NodeCache } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

const textOf = ({ data }: ZooKeeper.DataAndStat) => new TextDecoder().decode(data)

const program = Effect.gen(function* () {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* zk.create("/theme", { data: "dark" })
  const theme = yield* NodeCache.make("/theme")
  console.log(Option.map(theme.get(), textOf).pipe(Option.getOrElse(() => "none")))
  yield* zk.set("/theme", "light")
  // What is there, then each change.
  yield* theme.changes.pipe(
    Stream.filter((event) => event._tag === "Created" || event._tag === "Updated"),
    Stream.map(({ znode }) => textOf(znode)),
    Stream.filter((text) => text === "light"),
    Stream.take(1),
    Stream.runForEach((text) => Effect.sync(() => console.log(text)))
  )
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
