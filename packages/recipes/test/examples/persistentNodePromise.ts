import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

// There until it is released or the client is closed, under each session that follows this one.
await using node = await recipes(zk).persistentNode("/workers/seven", { data: "10.0.0.7:8080" })
console.log(node.status._tag)
await node.setData("10.0.0.7:8081")
console.log(new TextDecoder().decode(await zk.getData("/workers/seven")))
