import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"
import * as Schema from "effect/Schema"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const jobs = recipes(zk).priorityQueue("/queues/jobs", { schema: Schema.String })
await jobs.offer("clean up", 900)
await jobs.offer("restore", 10)
console.log(await jobs.take())
console.log(await jobs.take())
