import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

await zk.createWithParents("/config/mail/port", { data: "25" })
await using config = await recipes(zk).treeCache("/config")
const { snapshot } = config
for (const [path] of snapshot.entries()) console.log(path)

await zk.create("/config/mail/host")
for await (const event of config.changes) {
  if (event._tag !== "Created" || event.path !== "/config/mail/host") continue
  console.log("new", event.path)
  break
}
console.log(config.children("/config/mail").size, snapshot.children("/config/mail").size)
