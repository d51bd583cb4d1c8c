import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"
import * as Schema from "effect/Schema"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const discovery = recipes(zk).serviceDiscovery("/services", { schema: Schema.Struct({ zone: Schema.String }) })
// There until it is released, whatever becomes of sessions.
await using _own = await discovery.register({ name: "mail", address: "10.0.0.7", port: 25, payload: { zone: "north" } })

await using mail = await discovery.provider("mail", { strategy: "random", downInstances: { threshold: 1 } })
const instance = await mail.pick()
if (instance !== undefined) {
  console.log(instance.address, instance.port, instance.payload.zone)
  // It did not answer: for half a minute it is not picked.
  await mail.noteError(instance)
}
console.log((await mail.pick()) === undefined)
