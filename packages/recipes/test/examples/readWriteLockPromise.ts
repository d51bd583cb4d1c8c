import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const lock = recipes(zk).readWriteLock("/locks/catalogue")
// Any number may read at once.
await lock.read.withLock(() => console.log("looking up"))
await using reading = await lock.write.withLock(
  (writing) => {
    console.log("replacing")
    // A writer becomes a reader: this one is had at once, and outlives the write lock.
    return lock.read.acquire({ downgrade: writing })
  },
  { timeout: "10 seconds" }
)
if (await zk.exists(reading.path)) console.log("nobody has written since")
