import { PromiseClient } from "@effect-zookeeper/client"
import { fresh } from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it } from "@effect/vitest"
import { recipes } from "../../src/Promise.ts"

describe("a persistent node, as Promises", () => {
  it("is awaited, shows its status, and is released", async () => {
    const { chroot, connectString } = fresh("persistent-node")
    await using root = await PromiseClient.connect(connectString.slice(0, -chroot.length))
    await root.ensurePath(chroot)
    await using zk = await PromiseClient.connect(connectString)
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

  it("rejects with the server's refusal, and leaves nothing running", async () => {
    const { chroot, connectString } = fresh("persistent-node")
    await using zk = await PromiseClient.connect(connectString.slice(0, -chroot.length))
    const error = await recipes(zk)
      .persistentNode(`${chroot}/missing/node`, { parents: false })
      .catch((error: unknown) => error)
    assert.propertyVal(error, "_tag", "NoNode")
  })
})
