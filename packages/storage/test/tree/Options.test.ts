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
  readSnapshot: (_zk, options) => first(Storage.readSnapshot("/nowhere/snapshot.1", options)),
  readLog: (_zk, options) => first(Storage.readLog("/nowhere/log.1", options)),
  readBackup: (_zk, options) => first(Storage.readBackup("/nowhere/app.ndjson", options)),
  verifyBackup: (_zk, options) => Storage.verifyBackup("/nowhere/app.ndjson", options),
  fromTree: (_zk, options) => first(Storage.diff(TreeSource.fromTree(tree, options), source)),
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

/** Values of options that other values would be taken for, or that would never end. */
const wrongValues: Record<string, ReadonlyArray<object>> = {
  readSnapshot: [{ maxRecordSize: Number.NaN }, { maxRecordSize: 0 }, { maxRecordSize: "1 MiB" }],
  readLog: [{ maxRecordSize: Number.NaN }],
  readBackup: [{ maxRecordSize: 1.5 }],
  verifyBackup: [{ maxRecordSize: -1 }],
  fromTree: [{ path: "app" }, { name: 5 }],
  transactions: [{ from: 5 }, { logDirectory: "" }, { maxRecordSize: Number.NaN }],
  treeAt: [{ zxid: 5 }, { time: Number.NaN }, { time: new Date(0) }, { maxTreeSize: Number.NaN }],
  zxidAt: [{ logDirectory: 5 }],
  writeSnapshot: [{ compression: "snappy" }, { overwrite: "no" }],
  backupTree: [{ path: "app" }, { maxRecordSize: 0 }],
  snapshotTree: [{ path: 5 }, { maxTreeSize: -1 }],
  directoryTree: [{ path: "/app/" }, { zxid: "0x1f" }, { onRestored: true }],
  liveTree: [{ aclReaders: [5] }, { concurrency: 0 }, { concurrency: Number.NaN }, { owners: {} }, { path: "app" }],
  backup: [
    { aclReaders: {} },
    { aclReaders: [undefined] },
    { concurrency: -1 },
    { concurrency: Number.POSITIVE_INFINITY },
    { unreadable: "leave" },
    { resume: "no" },
    { maxPasses: Number.NaN },
    { onProgress: true },
    { path: null }
  ],
  writeBackup: [{ zxid: 1 }, { to: 1 }, { isConsistent: "no" }, { overwrite: 1 }],
  planRestore: [
    { aclReaders: "all" },
    { overwrite: "newer" },
    { kinds: "permanent" },
    { acl: [] },
    { counters: "no" },
    { maxRaise: -1 },
    { onProgress: "log" }
  ],
  restore: [{ overwrite: true }, { concurrency: 0.5 }, { onStep: "log" }, { path: "" }],
  diff: [{ ephemerals: "no" }, { counters: 1 }],
  mirror: [
    { checkInterval: "soon" },
    { checkInterval: Number.NaN },
    { checkInterval: 0 },
    { deletes: "false" },
    { concurrency: -1 },
    { targetPath: "copy" },
    { kinds: "permanent" },
    { onStatus: {} }
  ]
}

const connect = () => PromiseClient.fromLayer(ZooKeeper.layerSession().pipe(Layer.provide(memory)))

describe("invalid options", () => {
  for (const [name, call] of Object.entries(calls)) {
    it(`of ${name} are refused`, async () => {
      const zk = await connect()
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

  for (const [name, call] of Object.entries(calls)) {
    it(`of ${name} are refused where only their values are wrong`, async () => {
      const zk = await connect()
      try {
        for (const options of wrongValues[name] ?? assert.fail(`no values of ${name}`)) {
          const error = await rejection(call(zk, options as never))
          assert.deepInclude(error, { _tag: "InvalidArgument", argument: Object.keys(options)[0] })
        }
      } finally {
        await zk.close()
      }
    })
  }

  it("have a rule in words, and do not show values that may be secrets", async () => {
    const zk = await connect()
    try {
      const literal = await rejection(Storage.restore(zk, source, { overwrite: "newer" as never }))
      assert.include(String(literal), 'invalid overwrite "newer": must be "older" or "never" or "always"')
      const list = await rejection(Storage.restore(zk, source, { acl: [{ id: "secret" }] as never }))
      assert.include(String(list), 'invalid acl "an array": must be a function')
    } finally {
      await zk.close()
    }
  })

  it("say that clients of another chroot would ask for other znodes", async () => {
    const zk = await connect()
    try {
      const other = await zk.withChroot("/other")
      const error = await rejection(Storage.backup(zk, "/nowhere/app.ndjson", { aclReaders: [zk, other] }))
      const rule = "must be clients with the chroot of the one that reads, /"
      assert.deepInclude(error, { _tag: "InvalidArgument", argument: "aclReaders", rule })
    } finally {
      await zk.close()
    }
  })

  it("of a call are refused", async () => {
    for (const call of [5, { form: 5n }, { signal: "stop" }] as unknown as ReadonlyArray<never>) {
      assert.deepInclude(await rejection(Storage.list("/nowhere", call)), { _tag: "InvalidArgument", argument: "call" })
      assert.deepInclude(await rejection(first(Storage.readLog("/nowhere/log.1", {}, call))), {
        _tag: "InvalidArgument",
        argument: "call"
      })
    }
    assert.deepInclude(await rejection(Storage.zxidAt("/nowhere", Number.NaN)), {
      _tag: "InvalidArgument",
      argument: "time"
    })
  })
})
