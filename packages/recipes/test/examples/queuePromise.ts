import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"
import * as Schema from "effect/Schema"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const mails = recipes(zk).queue("/queues/mail", { schema: Schema.Struct({ to: Schema.String }) })
await mails.offerAll([{ to: "alice" }, { to: "bob" }])
// At least once: it goes when it is done, and is given back otherwise. `mails.consume` goes on for ever.
await mails.consumeOne(async ({ item, signal }) => {
  // Aborted when the item is lost: pass it on to all that you call.
  signal.throwIfAborted()
  console.log("sending to", item.to)
})
// At most once: it is gone when it is handed out.
console.log((await mails.take()).to)
