import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")
const decoder = new TextDecoder()

await zk.create("/theme", { data: "dark" })
await using theme = await recipes(zk).nodeCache("/theme")
console.log(decoder.decode(theme.get()?.data))
await zk.set("/theme", "light")
// What is there, then each change.
for await (const event of theme.changes) {
  if (event._tag !== "Created" && event._tag !== "Updated") continue
  const text = decoder.decode(event.znode.data)
  if (text !== "light") continue
  console.log(text)
  break
}
