import { ZooKeeper } from "@effect-zookeeper/client"
import { ReadWriteLock } from "@effect-zookeeper/recipes"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"

const program = Effect.gen(function* () {
  const lock = yield* ReadWriteLock.make("/locks/catalogue")
  // Any number may read at once.
  yield* lock.read.withLock(Effect.sync(() => console.log("looking up")))
  yield* lock.write.withLock(
    Effect.gen(function* () {
      console.log("replacing")
      // A writer becomes a reader: this one is had at once, and outlives the write lock.
      yield* lock.read.acquire()
    }),
    { timeout: "10 seconds" }
  )
  console.log("nobody has written since")
}).pipe(Effect.scoped)

const layer = ZooKeeper.layerConfig({ servers: Config.String("ZOOKEEPER") })

await program.pipe(Effect.provide(layer), Effect.runPromise)
