import { PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Session from "@effect-zookeeper/session/Session"
import { assert, describe, it } from "@effect/vitest"
import * as Layer from "effect/Layer"
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
      Storage.zxidAt("/nowhere", 0),
      Storage.verifyBackup("/nowhere/app.ndjson"),
      Storage.readLog("/nowhere/log.1")[Symbol.asyncIterator]().next()
    ])
    for (const failure of failures) assert.instanceOf(failure.status === "rejected" && failure.reason, FileAccessError)
  })
})

describe("the Promise API of trees", () => {
  it("backs up, plans, restores, compares and mirrors", async () => {
    const folder = Fs.mkdtempSync("/tmp/trees-")
    const zk = await PromiseClient.fromLayer(ZooKeeper.layerSession().pipe(Layer.provide(memory)))
    try {
      await zk.create("/app", { data: "1" })
      await zk.create("/app/below")
      const { header } = await Storage.backup(zk, `${folder}/app.ndjson.gz`, { path: "/app" })
      assert.strictEqual(header.znodes, 2)
      for await (const entry of Storage.readBackup(`${folder}/app.ndjson.gz`)) {
        assert.strictEqual(JSON.parse(JSON.stringify(entry)).znode.czxid, String(entry.znode.czxid))
      }
      const source = await Storage.backupTree(`${folder}/app.ndjson.gz`)
      const steps: Array<string> = []
      for await (const { _tag, path } of Storage.planRestore(zk, source, { path: "/copy" }))
        steps.push(`${_tag} ${path}`)
      assert.sameMembers(steps, ["Create /copy", "Create /copy/below"])
      assert.strictEqual((await Storage.restore(zk, source, { path: "/copy" })).Create, 2)
      for await (const difference of Storage.diff(source, await Storage.liveTree(zk, { path: "/copy" }))) {
        assert.fail(JSON.stringify(difference))
      }
      await Storage.writeBackup(`${folder}/again.ndjson`, source)
      assert.strictEqual((await Storage.verifyBackup(`${folder}/again.ndjson`)).znodes, 2)
      const paths: Array<string> = []
      for await (const { znode } of Storage.readBackup(`${folder}/again.ndjson`)) paths.push(znode.path)
      assert.deepStrictEqual(paths, ["/app", "/app/below"])
      const stop = new AbortController()
      const onStatus = ({ phase }: { readonly phase: string }) => {
        if (phase === "following") stop.abort(new Error("enough"))
      }
      const mirror = Storage.mirror(zk, zk, { path: "/app", targetPath: "/mirror", onStatus }, { signal: stop.signal })
      await mirror.then(
        () => assert.fail("it ended"),
        (error: Error) => assert.strictEqual(error.message, "enough")
      )
      assert.isTrue(await zk.exists("/mirror/below"))
      const failure = await Storage.backup(zk, `${folder}/none.ndjson`, { path: "/nowhere" }).then(
        () => undefined,
        (error: { readonly _tag: string }) => error._tag
      )
      assert.strictEqual(failure, "NoNode")
    } finally {
      await zk.close()
      Fs.rmSync(folder, { recursive: true })
    }
  })
})

const memory = Session.layer().pipe(Layer.provide(EmbeddedServer.layerMemory))
