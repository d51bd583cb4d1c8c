import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { FileAccessError } from "../../src/index.ts"
import { MutableTree } from "../../src/internal/tree/MutableTree.ts"
import * as Storage from "../../src/Promise.ts"

describe("the Promise API of the files", () => {
  it("writes, lists, reads and restores", async () => {
    const folder = Fs.mkdtempSync("/tmp/snapshot-")
    try {
      const file = await Storage.writeSnapshot(folder, MutableTree.initial(true))
      assert.deepStrictEqual(await Storage.list(folder), { snapshots: [{ path: file, zxid: 0n }], logs: [] })
      const paths: Array<string> = []
      for await (const record of Storage.readSnapshot(file)) {
        if (record._tag === "Znode") paths.push(record.znode.path)
      }
      assert.sameMembers(paths, ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"])
      const { tree } = await Storage.treeAt(folder)
      assert.strictEqual(tree.size, 4)
      for await (const transaction of Storage.transactions(folder)) assert.fail(`${transaction.zxid}`)
    } finally {
      Fs.rmSync(folder, { recursive: true })
    }
  })

  it("rejects with the errors of the Effects", async () => {
    const failures = await Promise.allSettled([
      Storage.list("/nowhere"),
      Storage.treeAt("/nowhere"),
      Storage.readLog("/nowhere/log.1")[Symbol.asyncIterator]().next()
    ])
    for (const failure of failures) assert.instanceOf(failure.status === "rejected" && failure.reason, FileAccessError)
  })
})
