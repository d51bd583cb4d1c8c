import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const visits = recipes(zk).counter("/counters/visits", { layout: "exact" })
const { post, pre } = await visits.increment()
console.log(pre, post)
await visits.add(41n)
console.log(await visits.get())
