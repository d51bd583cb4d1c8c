import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { DataDirectory } from "../../src/index.ts"
import { withFiles } from "../support/files.ts"
import { filedTree, randomHistory, shownToSuperUser } from "../support/histories.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** Snapshots and logs are short, so that there are several. The server deletes containers only after the test has looked. */
const startServer = (config: ReadonlyArray<string>) =>
  ZooKeeperServer.make({
    config: ["snapCount=100", "preAllocSize=128", ...config],
    jvmFlags: ["-Dznode.container.checkIntervalMs=60000", "-Dfile.encoding=UTF-8"]
  })

/**
 * Tests of single snapshots have the other formats, too. Before 3.6, servers have none of them. `ZK_LONG=1` with
 * `test:servers --suite storage` runs long histories on each release.
 */
const servers = [
  ["plain", []],
  ["gzip", ["snapshot.compression.method=gz"]],
  ["Snappy", ["snapshot.compression.method=snappy"]],
  ["without digests", ["digest.enabled=false"]]
] as const

/**
 * The znodes whose ACL was set after a snapshot was begun. A server that starts numbers the ACLs of the transactions anew, so that a
 * znode of the snapshot may be given another one than it had; the files tell which it had.
 */
const aclsSince = (folder: string, zxid: bigint) =>
  DataDirectory.transactions(folder, { from: zxid + 1n }).pipe(
    Stream.flatMap(({ change }) => Stream.fromIterable(change._tag === "Multi" ? change.changes : [change])),
    Stream.runFold(
      () => new Set<string>(),
      (paths, change) =>
        change._tag === "Create" || change._tag === "SetAcl" ? new Set([...paths, change.path]) : paths
    )
  )

describe("the tree from the files of a real server", () => {
  for (const [name, config] of isLong && TestServer.isAtLeast("3.6.0") ? servers : servers.slice(0, 1)) {
    it.live(
      `is the tree that it shows when it is started again (${name})`,
      () =>
        Effect.gen(function* () {
          const server = yield* startServer(config)
          // Two histories side by side, in the midst of which the server is killed.
          const operations = isLong ? 10_000 : 300
          const isOver = yield* Deferred.make<void>()
          const onStep = (done: number) => {
            if (done > operations) Deferred.doneUnsafe(isOver, Effect.void)
          }
          const histories = yield* Effect.forEach(["one", "two"], (seed) =>
            randomHistory(server.connectString, Infinity, onStep).pipe(
              Random.withSeed(`${name} ${seed}`),
              Effect.forkScoped
            )
          )
          yield* Deferred.await(isOver)
          yield* server.kill
          yield* Fiber.interruptAll(histories)
          const folder = `${server.folder}/data`
          const restored = yield* DataDirectory.treeAt(folder)
          const { logs, snapshots } = yield* DataDirectory.list(folder)
          assert.isAbove(snapshots.length, 1)
          assert.isAbove(logs.length, 1)
          yield* server.start
          const shown = yield* shownToSuperUser(server.connectString)
          const filed = filedTree(restored.tree)
          assert.deepStrictEqual([...filed.keys()].toSorted(), [...shown.keys()].toSorted())
          const lately = yield* aclsSince(folder, restored.snapshot?.zxid ?? 0n)
          for (const [path, znode] of shown) {
            const own = filed.get(path)
            const acl = lately.has(path) ? own?.acl : znode.acl
            assert.deepStrictEqual(own, { ...znode, acl: acl ?? znode.acl }, path)
          }
          // Servers before 3.6 have no digests.
          const digests = yield* DataDirectory.transactions(folder).pipe(
            Stream.filter(({ digest }) => digest !== undefined),
            Stream.runCount
          )
          assert.deepStrictEqual(restored.digest, { _tag: digests === 0 ? "None" : "Same" })
          if (name === "without digests") assert.strictEqual(digests, 0)
          // A server that is killed may leave a snapshot that it has not finished.
          assert.isTrue(restored.unusable.every(({ problem }) => problem === "Truncated"))

          // Whichever snapshots are left, the transactions lead to the same tree, and so do those of half the way.
          const half = yield* DataDirectory.treeAt(folder, { zxid: restored.tree.zxid / 2n })
          assert.strictEqual(half.tree.zxid, restored.tree.zxid / 2n)
          assert.notStrictEqual(half.digest._tag, "Different")
          for (const { path, zxid } of (yield* DataDirectory.list(folder)).snapshots) if (zxid > 0n) Fs.rmSync(path)
          const replayed = yield* DataDirectory.treeAt(folder, { zxid: restored.tree.zxid })
          // Before 3.5, a server that begins does not write the snapshot of its empty tree.
          assert.include([0n, undefined], replayed.snapshot?.zxid)
          assert.isAbove(replayed.transactions, restored.transactions)
          assert.deepStrictEqual(filedTree(replayed.tree), filed)
          assert.deepStrictEqual(replayed.tree.sessions, restored.tree.sessions)
          const zxids = yield* DataDirectory.transactions(folder).pipe(
            Stream.filter(({ zxid }) => zxid <= restored.tree.zxid),
            Stream.runFold(
              () => 0n,
              (_, { zxid }) => zxid
            )
          )
          assert.strictEqual(zxids, restored.tree.zxid)
        }).pipe(withFiles),
      isLong ? 1_200_000 : 60_000
    )
  }
})
