import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const semaphore = recipes(zk).semaphore("/limits/exports", { permits: 4 })
const exporting = async ({ signal }: { signal: AbortSignal }) => {
  // Aborted when a permit is lost: pass it on to all that you call.
  signal.throwIfAborted()
  console.log("exporting,", await semaphore.available(), "permits left")
}
await semaphore.withPermit(exporting, { timeout: "10 seconds" })
// All three or none.
await semaphore.withPermits(3, exporting)
