import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const lock = recipes(zk).lock("/locks/report")
await lock.withLock(
  async ({ signal }) => {
    // Aborted when the lock is lost: pass it on to all that you call.
    signal.throwIfAborted()
    console.log("reporting")
  },
  { timeout: "10 seconds" }
)
console.log("done")
