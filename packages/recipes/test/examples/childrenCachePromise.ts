import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

await zk.createWithParents("/workers/seven", { data: "10.0.0.7" })
await using workers = await recipes(zk).childrenCache("/workers")
for (const [name, { data }] of workers.get()) console.log(name, new TextDecoder().decode(data))
await zk.create("/workers/eight")
for await (const _event of workers.changes) if (workers.get().has("eight")) break
console.log([...workers.get().keys()].toSorted())
