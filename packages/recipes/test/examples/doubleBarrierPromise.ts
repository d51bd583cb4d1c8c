import { PromiseClient } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"

await using zk = await PromiseClient.connect(process.env["ZOOKEEPER"] ?? "localhost:2181")

/** In processes of their own, usually. */
const member = async () => {
  const barrier = recipes(zk).doubleBarrier("/barriers/round", { size: 3 })
  await barrier.enter({ timeout: "1 minute" })
  console.log("all are here")
  await barrier.leave({ timeout: "1 minute" })
}

await Promise.all([member(), member(), member()])
