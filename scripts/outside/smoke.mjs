/**
 * The client on any runtime that knows Node's sockets: Node, Bun and Deno run the same file.
 *
 * It works on the embedded server over TCP with both faces: writes, reads, transactions, a watch, a lock, an expired
 * session, and an end that leaves nothing running.
 */
import { BadVersion, Op, PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
import { recipes } from "@effect-zookeeper/recipes/Promise"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import assert from "node:assert/strict"

const runtime = ManagedRuntime.make(EmbeddedServer.layer())
const server = await runtime.runPromise(EmbeddedServer.EmbeddedServer)

const zk = await PromiseClient.connect(server.connectString)
assert.equal(await zk.create("/job-", { data: "resize", mode: "persistentSequential" }), "/job-0000000000")
const { data, stat } = await zk.get("/job-0000000000")
assert.equal(new TextDecoder().decode(data), "resize")
await zk.set("/job-0000000000", "done", stat.version)
await assert.rejects(zk.set("/job-0000000000", "late", stat.version), BadVersion)

const [path] = await zk.transaction([Op.create("/order", { data: "new" }), Op.setData("/order", "paid")])
assert.equal(path, "/order")

const values = []
for await (const node of zk.dataChanges("/order")) {
  values.push(node === undefined ? "gone" : new TextDecoder().decode(node.data))
  if (node === undefined) break
  await zk.delete("/order")
}
assert.deepEqual(values, ["paid", "gone"])

const fenced = await recipes(zk)
  .lock("/lock")
  .withLock(({ fencingToken, signal }) => Promise.resolve(fencingToken > 0n && !signal.aborted))
assert.equal(fenced, true)

const expired = zk.session.id
await runtime.runPromise(server.expireSession(expired))
const untilReplaced = async () => {
  await zk.exists("/").catch(() => {})
  if (zk.session.id === expired) await untilReplaced()
}
await untilReplaced()
assert.equal(await zk.exists("/job-0000000000"), true)
await zk.close()

const read = Effect.gen(function* () {
  const client = yield* ZooKeeper.ZooKeeper
  return yield* client.getChildren("/")
})
const children = await Effect.runPromise(Effect.provide(read, ZooKeeper.layer({ servers: server.connectString })))
assert.ok(children.includes("job-0000000000"))

await runtime.dispose()
const name = globalThis.Bun !== undefined ? "Bun" : globalThis.Deno !== undefined ? "Deno" : "Node.js"
console.log(`the client works on ${name}`)
