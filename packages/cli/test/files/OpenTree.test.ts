import { BackupFile, type TreeSource } from "@effect-zookeeper/storage"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { collected } from "../../src/internal/files/openTree.ts"
import { run } from "../support/zk.ts"

const stamps = { czxid: 1n, mzxid: 1n, pzxid: 1n, ctime: 1, mtime: 1, version: 0, cversion: 0, aversion: 0, owner: 0n }

const acl = [{ perms: 31, scheme: "world", id: "anyone" }]

/** A tree of `/app` with so many children. */
const app = (children: number, data: Uint8Array): TreeSource.TreeSource => {
  const entry = (path: string, numChildren: number): TreeSource.Entry => ({
    znode: { path, data, acl, ...stamps },
    numChildren,
    isKindKnown: true
  })
  const names = Array.from({ length: children }, (_, index) => `/app/${index}`)
  return {
    name: "the backup app",
    root: "/app",
    entries: Stream.fromIterable([entry("/app", children), ...names.map((path) => entry(path, 0))]),
    size: Effect.succeed(children + 1)
  }
}

const inFolder = <A, E, R>(test: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => Fs.mkdtempSync("/tmp/tree-")),
    test,
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  ).pipe(Effect.provide(NodeFileSystem.layer))

describe("the tree of a backup", () => {
  it.effect("is looked at from its own first znode where no path is given", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const file = `${folder}/app.ndjson.gz`
        yield* BackupFile.write(file, app(2, new TextEncoder().encode("x")))
        assert.deepInclude(yield* run(["snapshot", "ls", file]), { code: 0, out: "0\n1\n" })
        assert.include((yield* run(["snapshot", "tree", file])).out, "/app\n├── 0\n└── 1")
        assert.deepInclude(yield* run(["snapshot", "find", file, "--name", "1"]), { code: 0, out: "/app/1\n" })
        const exported = yield* run(["snapshot", "export", file, `${folder}/again.ndjson`])
        assert.strictEqual(exported.code, 0, exported.err)
        assert.deepInclude(yield* BackupFile.readHeader(`${folder}/again.ndjson`), { path: "/app", znodes: 3 })
        const again = yield* Stream.runCollect(BackupFile.read(`${folder}/again.ndjson`))
        assert.deepStrictEqual(
          again.map(({ znode }) => znode.path),
          ["/app", "/app/0", "/app/1"]
        )
        assert.strictEqual((yield* run(["snapshot", "ls", file, "/"])).code, 3)
      })
    )
  )

  it.effect("has lines of more than 16 MiB where --max-buffer is that of servers with such znodes", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const file = `${folder}/app.ndjson.gz`
        // No text, so that its line has base64 of it.
        yield* BackupFile.write(file, app(0, new Uint8Array(13_000_000).fill(200)))
        for (const command of [
          ["snapshot", "stat", file, "/app"],
          ["diff", `backup:${file}`, `backup:${file}`]
        ]) {
          const refused = yield* run(command)
          assert.strictEqual(refused.code, 1)
          assert.include(refused.err, "where the servers have a larger jute.maxbuffer, set --max-buffer to that")
          const read = yield* run([...command, "--max-buffer", "13m"])
          assert.strictEqual(read.code, 0, read.err)
        }
      })
    )
  )

  it.effect("is refused before it has taken more memory than it may", () =>
    Effect.gen(function* () {
      const source = app(100, new Uint8Array(10_000))
      assert.lengthOf([...(yield* collected(source, {})).entries()], 101)
      let taken = 0
      const entries = Stream.tap(source.entries, () => Effect.sync(() => taken++))
      const error = yield* Effect.flip(collected({ ...source, entries }, {}, 100_000))
      assert.include(error.message, "the backup app has a tree of more than")
      assert.isBelow(taken, 101)
    })
  )
})
