import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const election = recipes(zk).leaderElection("/scheduler/leader", { identifier: "scheduler-3" })
const result = await election.whileLeader(async ({ fencingToken, signal }) => {
  signal.throwIfAborted()
  console.log("leading", fencingToken > 0n)
  return "finished"
})
console.log(result)
