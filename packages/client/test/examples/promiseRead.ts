import { Op, PromiseClient } from "@effect-zookeeper/client"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")
await zk.create("/config", { data: "dark" })

const signal = AbortSignal.timeout(5_000)
for (const answer of await zk.read([Op.get("/config"), Op.get("/nowhere")], { signal })) {
  console.log(answer.ok ? new TextDecoder().decode(answer.value.data) : answer.error._tag)
}
