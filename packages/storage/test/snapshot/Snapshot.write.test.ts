import { ZooKeeper } from "@effect-zookeeper/client"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Fs from "node:fs"
import { DataDirectory, Snapshot } from "../../src/index.ts"
import { withFiles } from "../support/files.ts"
import { filedTree, randomHistory, shownToSuperUser } from "../support/histories.ts"

/** The server deletes containers only after the test has looked. */
const jvmFlags = ["-Dznode.container.checkIntervalMs=600000", "-Dfile.encoding=UTF-8"]

const isLong = process.env["ZK_LONG"] === "1"

const formats = ["none", "gzip"] as const

describe("a snapshot that was written here", () => {
  // Before 3.6, servers know no compressed snapshots.
  for (const compression of isLong && TestServer.isAtLeast("3.6.0") ? formats : formats.slice(0, 1)) {
    it.live(
      `starts a real server, which shows the same tree and goes on from there (${compression})`,
      () =>
        Effect.gen(function* () {
          const first = yield* ZooKeeperServer.make({ jvmFlags })
          yield* randomHistory(first.connectString, 300).pipe(Random.withSeed(`written ${compression}`))
          yield* first.kill
          const { tree } = yield* DataDirectory.treeAt(`${first.folder}/data`)

          const second = yield* ZooKeeperServer.make({ jvmFlags })
          yield* second.kill
          const folder = `${second.folder}/data/version-2`
          for (const format of formats) {
            const other = `${second.folder}/${format}`
            yield* Snapshot.write(other, tree, { compression: format })
            const again = yield* DataDirectory.treeAt(other)
            assert.deepStrictEqual(filedTree(again.tree), filedTree(tree))
            assert.deepStrictEqual(again.digest, { _tag: "Same" })
          }
          Fs.rmSync(folder, { recursive: true })
          const file = yield* Snapshot.write(folder, tree, { compression })
          assert.deepStrictEqual(Fs.readdirSync(folder), [file.slice(folder.length + 1)])
          yield* second.start
          assert.deepStrictEqual(yield* shownToSuperUser(second.connectString), filedTree(tree))
          const czxid = yield* Effect.gen(function* () {
            const zk = yield* ZooKeeper.ZooKeeper
            return (yield* zk.createWithStat("/zookeeper/after-")).stat.czxid
          }).pipe(Effect.provide(ZooKeeper.layer({ servers: second.connectString })))
          assert.isTrue(czxid > tree.zxid)
          const log = Fs.readFileSync(`${second.folder}/server.log`, "utf8")
          assert.notInclude(log, "Digests are not matching")
        }).pipe(withFiles),
      60_000
    )
  }

  it.live("does not replace another one unless it is told to", () =>
    Effect.gen(function* () {
      const folder = yield* TemporaryFolder.make("snapshot-")
      Fs.writeFileSync(`${folder}/snapshot.0`, "another one")
      const empty = { tree: emptyTree }
      const error = yield* Effect.flip(Snapshot.write(folder, empty.tree))
      assert.include(error.message, "it exists already")
      assert.strictEqual(Fs.readFileSync(`${folder}/snapshot.0`, "utf8"), "another one")
      yield* Snapshot.write(folder, empty.tree, { overwrite: true })
      assert.deepStrictEqual(Fs.readdirSync(folder), ["snapshot.0"])
      assert.isAbove(Fs.statSync(`${folder}/snapshot.0`).size, 60)
    }).pipe(withFiles)
  )
})

const emptyTree = {
  zxid: 0n,
  size: 0,
  digest: 0n,
  get: () => undefined,
  children: () => new Set<string>(),
  entries: () => [].values(),
  sessions: new Map<bigint, number>()
}
