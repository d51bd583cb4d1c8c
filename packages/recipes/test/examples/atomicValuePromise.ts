import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"
import * as Schema from "effect/Schema"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const config = recipes(zk).atomicValue("/config/mail", {
  schema: Schema.Struct({ replicas: Schema.Int }),
  initial: { replicas: 1 }
})
const { post, pre } = await config.update(({ replicas }) => ({ replicas: replicas + 1 }))
console.log(pre.replicas, post.replicas)
const seen = await config.getVersioned()
await config.set({ replicas: 5 })
// Somebody has written since.
console.log((await config.compareAndSet(seen, { replicas: 3 })).applied)
