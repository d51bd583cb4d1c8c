/** Files of servers with something wrong, or in two folders. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { Snapshot } from "@effect-zookeeper/storage"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { MutableTree } from "../../../storage/src/internal/tree/MutableTree.ts"
import { logOf } from "../support/logs.ts"
import { run } from "../support/zk.ts"

const write = (folder: string, zxid: bigint, paths: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const tree = MutableTree.initial(false)
    const stamps = {
      czxid: 1n,
      mzxid: 1n,
      pzxid: 1n,
      ctime: 0,
      mtime: 0,
      version: 0,
      cversion: 0,
      aversion: 0,
      owner: 0n
    }
    for (const path of paths) tree.load({ path, data: Buffer.from("data"), acl: Acl.open, ...stamps })
    tree.zxid = zxid
    return Snapshot.write(folder, tree)
  }).pipe(Effect.provide(NodeFileSystem.layer))

/** Two snapshots in one folder, and a log of eight transactions in another. */
const makeServer = Effect.gen(function* () {
  const root = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "zk-"))),
    (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
  )
  const [data, logs] = [Path.join(root, "data"), Path.join(root, "logs")]
  yield* write(Path.join(data, "version-2"), 3n, ["/app", "/app/a"])
  const newest = yield* write(Path.join(data, "version-2"), 5n, ["/app", "/app/a", "/app/b"])
  Fs.mkdirSync(Path.join(logs, "version-2"), { recursive: true })
  Fs.writeFileSync(Path.join(logs, "version-2", "log.1"), logOf(1, 8))
  return { data, logs, newest, out: (name: string) => Path.join(root, name) }
})

describe("zk snapshot and zk log", () => {
  it.live("take the logs of a server from its dataLogDir", () =>
    Effect.gen(function* () {
      const { data, logs } = yield* makeServer
      const at = yield* run(["log", "at", data, "0x7", "--logs", logs, "--json"])
      assert.deepInclude(JSON.parse(at.out), { zxid: "0x7", transactions: 2 }, at.err)
      const time = yield* run(["snapshot", "ls", data, "/app", "--logs", logs, "--at", "1970-01-01T00:00:04Z"])
      assert.deepStrictEqual([time.code, time.out, time.err], [0, "a\n", ""])
      const same = yield* run(["diff", `data:${data},${logs}@0x8#/app`, `data:${data},${logs}#/app`])
      assert.deepStrictEqual([same.code, same.out], [0, ""], same.err)

      // Without them it is said that the tree may be an old one.
      const without = yield* run(["snapshot", "ls", data, "/app"])
      assert.deepStrictEqual([without.code, without.out], [0, "a\nb\n"])
      assert.include(without.err, "has no logs: a server with a dataLogDir has them there")
      for (const command of [
        ["dump", data],
        ["grep", "/app", data],
        ["stats", data]
      ] as const) {
        const none = yield* run(["log", ...command])
        assert.deepStrictEqual([none.code, none.out], [2, ""])
        assert.include(none.err, "has no transaction logs")
      }
      assert.strictEqual((yield* run(["log", "stats", logs])).code, 0)
    })
  )

  it.live("say which snapshot was passed over, and why", () =>
    Effect.gen(function* () {
      const { data, logs, newest } = yield* makeServer
      const bytes = Fs.readFileSync(newest)
      bytes[bytes.indexOf("data")]! ^= 1
      Fs.writeFileSync(newest, bytes)
      Fs.appendFileSync(Path.join(logs, "version-2", "log.1"), Buffer.from([1, 2, 3]))
      for (const command of [
        ["snapshot", "ls", data, "/app", "--logs", logs],
        ["log", "at", data, "0x8", "--logs", logs],
        ["diff", `data:${data},${logs}`, `data:${data},${logs}`]
      ]) {
        const { err } = yield* run(command)
        assert.match(err, /passed over: ".*snapshot\.5" is corrupt at byte \d+: expected /)
      }
      const ls = yield* run(["snapshot", "ls", data, "/app", "--logs", logs])
      assert.strictEqual(ls.out, "a\n")
      assert.match(ls.err, /log\.1" is incomplete at byte \d+: .*; a server that was killed leaves such an end/)
    })
  )

  it.live("export a subtree that is there, with its moment", () =>
    Effect.gen(function* () {
      const { data, logs, newest, out } = yield* makeServer
      for (const file of [data, newest]) {
        const none = yield* run(["snapshot", "export", file, out("none.ndjson"), "/nowhere"])
        assert.deepStrictEqual([none.code, none.out], [3, ""])
        assert.isFalse(Fs.existsSync(out("none.ndjson")))
      }
      const directory = [data, out("moment.ndjson"), "/app", "--logs", logs, "--at", "0x4"]
      const moment = JSON.parse((yield* run(["snapshot", "export", ...directory, "--json"])).out)
      assert.deepInclude(moment, { path: "/app", znodes: 2, from: "0x4", to: "0x4", isConsistent: true })
      const fuzzy = yield* run(["snapshot", "export", newest, out("fuzzy.ndjson"), "--json"])
      assert.deepInclude(JSON.parse(fuzzy.out), { path: "/", from: "0x5", to: "0x5", isConsistent: false })
      assert.include(fuzzy.err, "may not be all of one moment")
      const again = yield* run(["snapshot", "export", out("fuzzy.ndjson"), out("again.ndjson"), "/app", "--json"])
      assert.deepInclude(JSON.parse(again.out), { path: "/app", znodes: 3, from: "0x5", isConsistent: false })
    })
  )
})
