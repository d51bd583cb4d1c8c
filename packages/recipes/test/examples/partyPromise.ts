import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const party = await recipes(zk).party("/workers")
// A member until it is released or the client is closed.
await using _member = await party.join({ id: "worker-7", data: "10.0.0.7:8080" })
console.log([...(await party.members()).keys()])
// Each change from here on; `party.settled("5 seconds")` leaves out what does not last.
for await (const members of party.changes) {
  console.log(members.size)
  break
}
