import { ZooKeeper } from "@effect-zookeeper/client"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { run } from "../support/zk.ts"

describe("zk snapshot and zk log", () => {
  it.live(
    "show the files of a real server that does not run",
    () =>
      Effect.gen(function* () {
        const server = yield* ZooKeeperServer.make({ jvmFlags: ["-Dfile.encoding=UTF-8"] })
        const { created, session } = yield* Effect.gen(function* () {
          const zk = yield* ZooKeeper.ZooKeeper
          yield* zk.create("/app", { data: "one" })
          const { stat } = yield* zk.createWithStat("/app/config", { data: "x".repeat(2_000) })
          yield* zk.setData("/app", "two")
          yield* zk.delete("/app/config")
          return { created: stat.czxid, session: zk.session.id }
        }).pipe(Effect.provide(ZooKeeper.layer({ servers: server.connectString })))
        yield* server.kill
        const directory = `${server.folder}/data`
        const at = `0x${created.toString(16)}`

        const ls = yield* run(["snapshot", "ls", directory, "/app"])
        assert.deepStrictEqual([ls.code, ls.out], [0, ""], ls.err)
        const before = yield* run(["snapshot", "ls", directory, "/app", "--at", at])
        assert.strictEqual(before.out, "config\n")
        assert.strictEqual((yield* run(["snapshot", "get", directory, "/app"])).out, "two")
        assert.strictEqual((yield* run(["snapshot", "get", directory, "/app", "--at", at])).out, "one")
        assert.strictEqual((yield* run(["snapshot", "get", directory, "/nowhere"])).code, 3)
        const found = yield* run(["snapshot", "find", directory, "--larger", "1k", "--at", at])
        assert.strictEqual(found.out, "/app/config\n")
        const stat = yield* run(["snapshot", "stat", directory, "/app", "--json"])
        assert.strictEqual(JSON.parse(stat.out).stat.version, 1)
        assert.include((yield* run(["snapshot", "tree", directory, "/app", "--at", at])).out, "└── config")
        const top = yield* run(["snapshot", "top", directory, "--at", at, "-n", "1", "--json"])
        assert.deepInclude(JSON.parse(top.out)[0], { path: "/app/config", bytes: 2000, subtreeZnodes: 1 })

        const backup = `${server.folder}/app.ndjson.gz`
        const exported = yield* run(["snapshot", "export", directory, backup, "/app", "--at", at])
        assert.strictEqual(exported.code, 0, exported.err)
        assert.include(exported.out, "2 znodes")
        const diff = yield* run(["diff", `backup:${backup}`, `data:${directory}#/app`])
        assert.deepStrictEqual([diff.code, diff.out], [1, "~ /  (data)\n- /config\n"])
        const same = yield* run(["diff", `backup:${backup}`, `data:${directory}@${at}#/app`])
        assert.strictEqual(same.code, 0, same.out)

        const grep = yield* run(["log", "grep", "/app/config", directory])
        const lines = grep.out.trim().split("\n")
        assert.strictEqual(lines.length, 2, grep.err)
        assert.include(lines[0], "creates /app/config (2000 bytes)")
        assert.include(lines[1], "deletes /app/config")
        assert.include(lines[1], `0x${session.toString(16)}`)
        const deleted = yield* run(["log", "grep", "/app", directory, "-r", "--type", "delete", "--ndjson"])
        assert.deepInclude(JSON.parse(deleted.out), { type: "delete", paths: ["/app/config"] })
        const dump = yield* run(["log", "dump", directory, "--from", at, "--to", at, "--json"])
        assert.deepStrictEqual(
          JSON.parse(dump.out).map(({ zxid }: { readonly zxid: string }) => zxid),
          [at]
        )
        const stats = yield* run(["log", "stats", directory, "--json"])
        assert.deepInclude(JSON.parse(stats.out).types, { type: "create", count: 2 })
        const moment = yield* run(["log", "at", directory, at, "--json"])
        assert.deepInclude(JSON.parse(moment.out), { zxid: at, digest: "same" })
        const time = yield* run(["log", "at", directory, new Date(Date.now() + 60_000).toISOString()])
        assert.strictEqual(time.code, 0, time.err)
        assert.strictEqual((yield* run(["log", "at", directory, "yesterday"])).code, 2)
        assert.strictEqual((yield* run(["log", "at", directory, "1999-01-01T00:00:00Z"])).code, 1)
        assert.strictEqual((yield* run(["snapshot", "ls", backup, "--at", at])).code, 2)

        Fs.writeFileSync(`${server.folder}/foreign.ndjson`, "hello\n")
        const foreign = yield* run(["snapshot", "ls", `${server.folder}/foreign.ndjson`])
        assert.strictEqual(foreign.code, 1)
        assert.include(foreign.err, "not a file of this kind at byte 0")
      }),
    60_000
  )

  it.live("refuse an unknown type, and name the flag of an invalid session", () =>
    Effect.gen(function* () {
      const type = yield* run(["log", "grep", "/a", "/nowhere", "--type", "removed"])
      assert.strictEqual(type.code, 2)
      assert.include(type.err, "setData")
      const session = yield* run(["log", "grep", "/a", "/nowhere", "--session", "ann"])
      assert.strictEqual(session.code, 2)
      assert.include(session.err, '--session "ann" is no session id')
    })
  )
})
