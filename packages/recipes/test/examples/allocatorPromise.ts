import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

await using allocator = await recipes(zk).allocator("/shards", { items: ["a", "b", "c"], quiet: "100 millis" })
const stop = new AbortController()
await allocator
  .whileAllocated(
    async ({ items, signal }) => {
      // Aborted before an item is another's, and called anew with what is left: pass it on to all that you call.
      signal.throwIfAborted()
      console.log(items)
      stop.abort()
    },
    { signal: stop.signal }
  )
  .catch(() => {})
