import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const orders = recipes(zk).idGenerator("/ids/orders", { blockSize: 1000 })
console.log(await orders.next(), await orders.next())
