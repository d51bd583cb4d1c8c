import { NoNode, PromiseClient } from "@effect-zookeeper/client"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

const path = await zk.createWithParents("/jobs/job-", { data: "payload", mode: "ephemeralSequential" })
const { data, stat } = await zk.get(path)
await zk.set(path, "next", stat.version)
console.log(path, new TextDecoder().decode(data))
try {
  await zk.get("/nowhere")
} catch (error) {
  if (!(error instanceof NoNode)) throw error
  console.log(error.message)
}
