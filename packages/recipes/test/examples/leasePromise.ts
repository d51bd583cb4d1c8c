import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const lease = recipes(zk).lease("/leases/import", { duration: "1 minute", identifier: "importer-1" })
await using held = await lease.obtain()
if (held === undefined) console.log("another imports")
else {
  console.log((await lease.holders()).map(({ identifier }) => identifier))
  // Another minute.
  await held.renew()
}
