import { assert, describe } from "@effect/vitest"
import { recipes } from "../../src/Promise.ts"
import { rejection, itConnected } from "../support/promises.ts"

describe("a persistent node, as Promises", () => {
  itConnected("is awaited, shows its status, and is released", async (zk) => {
    const node = await recipes(zk).persistentNode("/nodes/one", { data: "1" })
    assert.isTrue(node.isPresent)
    assert.strictEqual(node.actualPath, "/nodes/one")
    assert.strictEqual(await node.present(), "/nodes/one")
    await node.setData("2")
    assert.strictEqual(new TextDecoder().decode(await zk.getData("/nodes/one")), "2")
    await node.release()
    assert.isFalse(node.isPresent)
    assert.isFalse(await zk.exists("/nodes/one"))
    for await (const { _tag } of node.changes) assert.strictEqual(_tag, "Closed")
  })

  itConnected("rejects with the server's refusal, and leaves nothing running", async (zk) => {
    const error = await rejection(recipes(zk).persistentNode("/missing/node", { parents: false }))
    assert.propertyVal(error, "_tag", "NoNode")
  })
})
