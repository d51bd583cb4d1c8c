import { ZooKeeper } from "@effect-zookeeper/client"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Backup, BackupFile, DataDirectory, type Diff, Restore, Snapshot, TreeSource, Znode } from "../../src/index.ts"
import { withFiles } from "../support/files.ts"
import { differences } from "../support/liveTrees.ts"

const withClient = <A, E, R>(servers: string, run: (zk: ZooKeeper.Service) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    yield* zk.addAuth("digest", Redacted.make("super:secret"))
    return yield* run(zk)
  }).pipe(Effect.provide(ZooKeeper.layer({ servers })))

describe("the files of a server", () => {
  it.live(
    "are restored into a real one with containers, TTLs, ACLs and counters",
    () =>
      Effect.gen(function* () {
        // It deletes containers only after the test has looked.
        const server = yield* ZooKeeperServer.make({ jvmFlags: ["-Dznode.container.checkIntervalMs=600000"] })
        const directory = `${server.folder}/data`
        const before = yield* withClient(server.connectString, (zk) =>
          Effect.gen(function* () {
            yield* zk.create("/app", { data: "root" })
            yield* zk.create("/app/container", { mode: "container" })
            yield* zk.create("/app/container/child")
            yield* zk.create("/app/ttl", { mode: "persistentWithTtl", ttl: "1 hour", data: "t" })
            yield* zk.create("/app/secret", {
              acl: [{ perms: 31, scheme: "digest", id: "bob:lK75jTNcA+U9vtVEw5vB51mj/w4=" }]
            })
            yield* zk.create("/app/queue")
            for (let index = 0; index < 7; index++) {
              yield* zk.delete(yield* zk.create("/app/queue/n-", { mode: "persistentSequential" }))
            }
            yield* zk.create("/app/owned", { mode: "ephemeral" })
            const { stat } = yield* zk.get("/app/queue")
            yield* zk.setData("/app", "changed")
            return stat
          })
        )
        yield* server.kill
        const file = `${server.folder}/app.ndjson.gz`
        const source = yield* TreeSource.dataDirectory(directory, { path: "/app" })
        const header = yield* BackupFile.write(file, source)
        assert.strictEqual(header.isConsistent, true)
        const { tree } = yield* DataDirectory.treeAt(directory)

        yield* server.start
        yield* withClient(server.connectString, (zk) =>
          Effect.gen(function* () {
            yield* Restore.run(yield* TreeSource.backup(file), zk, { path: "/copy" })
            // A live backup knows the kinds with the tree of the files.
            yield* Backup.make(zk, `${server.folder}/live.ndjson`, { path: "/app", owners: TreeSource.ownersOf(tree) })
            yield* Restore.run(yield* TreeSource.backup(`${server.folder}/live.ndjson`), zk, { path: "/live" })
            yield* zk.sync()
          })
        )
        yield* server.kill
        const after = yield* DataDirectory.treeAt(directory)
        const options: Diff.Options = { counters: true }
        const original = TreeSource.fromTree(after.tree, { path: "/app" })
        for (const path of ["/copy", "/live"]) {
          assert.deepStrictEqual(yield* differences(original, TreeSource.fromTree(after.tree, { path }), options), [])
          assert.deepStrictEqual(Znode.kindOf(after.tree.get(`${path}/ttl`)!.owner), { _tag: "Ttl", ttl: 3_600_000 })
          assert.deepStrictEqual(Znode.kindOf(after.tree.get(`${path}/container`)!.owner), { _tag: "Container" })
          assert.strictEqual(after.tree.get(`${path}/queue`)!.cversion, 7)
        }

        // The tree by a time, and from a snapshot of it.
        const change = tree.get("/app")!
        const earlier = yield* DataDirectory.treeAt(directory, { time: before.ctime })
        assert.isDefined(earlier.tree.get("/app"))
        assert.isTrue(earlier.tree.zxid <= change.mzxid)
        const then = yield* DataDirectory.treeAt(directory, { time: change.mtime, zxid: change.mzxid })
        assert.strictEqual(then.tree.zxid, change.mzxid)
        assert.strictEqual(yield* DataDirectory.zxidAt(directory, Number.MAX_SAFE_INTEGER), after.tree.zxid)
        assert.strictEqual((yield* Effect.flip(DataDirectory.zxidAt(directory, 0)))._tag, "IncompleteDirectory")
        const snapshot = yield* Snapshot.write(`${server.folder}/then`, then.tree)
        const written = yield* TreeSource.snapshot(snapshot, { path: "/app" })
        assert.deepStrictEqual(
          yield* differences(written, TreeSource.fromTree(then.tree, { path: "/app" }), {
            ...options,
            ephemerals: true
          }),
          []
        )
        const nowhere = yield* TreeSource.snapshot(snapshot, { path: "/nowhere" })
        assert.strictEqual((yield* Effect.flip(differences(nowhere, written)))._tag, "NoNode")
      }).pipe(withFiles),
    60_000
  )
})
