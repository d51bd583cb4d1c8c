import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const barrier = recipes(zk).barrier("/barriers/migration")
await barrier.create()
// In other processes, usually.
const worker = barrier.wait({ timeout: "1 minute" }).then(() => console.log("working"))
console.log("migrating")
await barrier.lift()
await worker
