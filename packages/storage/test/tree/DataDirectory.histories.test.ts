import { ZooKeeper } from "@effect-zookeeper/client"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import { DataDirectory } from "../../src/index.ts"
import { withFiles } from "../support/files.ts"
import { filedTree, randomHistory, shownTree } from "../support/histories.ts"

const operations = process.env["ZK_LONG"] === "1" ? 20_000 : 600

/** Snapshots and logs are short, so that there are several. The server deletes containers only after the test has looked. */
const startServer = (config: ReadonlyArray<string>) =>
  ZooKeeperServer.make({
    config: ["snapCount=200", "preAllocSize=128", ...config],
    jvmFlags: ["-Dznode.container.checkIntervalMs=4000", "-Dfile.encoding=UTF-8"]
  })

const superUser = (servers: string) =>
  Effect.gen(function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    yield* zk.addAuth("digest", Redacted.make("super:secret"))
    return yield* shownTree(zk)
  }).pipe(Effect.provide(ZooKeeper.layer({ servers })))

describe("the tree from the files of a real server", () => {
  for (const [name, config] of [
    ["plain", []],
    ["gzip", ["snapshot.compression.method=gz"]],
    ["Snappy", ["snapshot.compression.method=snappy"]],
    ["without digests", ["digest.enabled=false"]]
  ] as const) {
    it.live(
      `is the tree that it shows when it is started again (${name})`,
      () =>
        Effect.gen(function* () {
          const server = yield* startServer(config)
          yield* randomHistory(server.connectString, operations).pipe(Random.withSeed(`histories ${name}`))
          yield* server.kill
          const folder = `${server.folder}/data`
          const restored = yield* DataDirectory.treeAt(folder)
          const { logs, snapshots } = yield* DataDirectory.list(folder)
          assert.isAbove(snapshots.length, 1)
          assert.isAbove(logs.length, 1)
          yield* server.start
          const shown = yield* superUser(server.connectString)
          const filed = filedTree(restored.tree)
          assert.deepStrictEqual([...filed.keys()].toSorted(), [...shown.keys()].toSorted())
          for (const [path, znode] of shown) assert.deepStrictEqual(filed.get(path), znode, path)
          assert.deepStrictEqual(restored.digest, { _tag: name === "without digests" ? "None" : "Same" })
          // A server that is killed may leave a snapshot that it has not finished.
          assert.isTrue(restored.unusable.every(({ problem }) => problem === "Truncated"))

          // From every snapshot, and from the beginning, the transactions lead to the same tree.
          const first = snapshots[0]!
          const before = yield* DataDirectory.treeAt(folder, { zxid: first.zxid })
          assert.strictEqual(before.tree.zxid, first.zxid)
        }).pipe(withFiles),
      120_000
    )
  }
})
