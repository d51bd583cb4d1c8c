/** Options that are no object, or that have an unknown key, are refused before anything is read or written. */
import { PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as Session from "@effect-zookeeper/session/Session"
import { rejection } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Layer from "effect/Layer"
import { TreeSource } from "../../src/index.ts"
import { MutableTree } from "../../src/internal/tree/MutableTree.ts"
import * as Storage from "../../src/Promise.ts"

const memory = Session.layer().pipe(Layer.provide(EmbeddedServer.layerMemory))

const first = async (items: AsyncIterable<unknown>): Promise<unknown> => items[Symbol.asyncIterator]().next()

const tree = MutableTree.initial(true)

const source: Storage.Source = TreeSource.fromTree(tree)

/** Every function with options that decide what is read or written. */
const calls: Record<string, (zk: PromiseClient.PromiseClient, options: never) => Promise<unknown>> = {
  transactions: (_zk, options) => first(Storage.transactions("/nowhere", options)),
  treeAt: (_zk, options) => Storage.treeAt("/nowhere", options),
  zxidAt: (_zk, options) => Storage.zxidAt("/nowhere", 0, options),
  writeSnapshot: (_zk, options) => Storage.writeSnapshot("/nowhere", tree, options),
  backupTree: (_zk, options) => Storage.backupTree("/nowhere/app.ndjson", options),
  snapshotTree: (_zk, options) => Storage.snapshotTree("/nowhere/snapshot.1", options),
  directoryTree: (_zk, options) => Storage.directoryTree("/nowhere", options),
  liveTree: async (zk, options) => first(Storage.diff(await Storage.liveTree(zk, options), source)),
  backup: (zk, options) => Storage.backup(zk, "/nowhere/app.ndjson", options),
  writeBackup: (_zk, options) => Storage.writeBackup("/nowhere/app.ndjson", source, options),
  planRestore: (zk, options) => first(Storage.planRestore(zk, source, options)),
  restore: (zk, options) => Storage.restore(zk, source, options),
  diff: (_zk, options) => first(Storage.diff(source, source, options)),
  mirror: (zk, options) => Storage.mirror(zk, zk, options)
}

const wrong: ReadonlyArray<readonly [options: unknown, value: string]> = [
  [0, "0"],
  [null, "null"],
  [[], "an array"],
  [{ overwriting: true }, "overwriting"]
]

describe("invalid options", () => {
  for (const [name, call] of Object.entries(calls)) {
    it(`of ${name} are refused`, async () => {
      const zk = await PromiseClient.fromLayer(ZooKeeper.layerSession().pipe(Layer.provide(memory)))
      try {
        for (const [options, value] of wrong) {
          assert.deepInclude(await rejection(call(zk, options as never)), {
            _tag: "InvalidArgument",
            argument: "options",
            value
          })
        }
      } finally {
        await zk.close()
      }
    })
  }
})
