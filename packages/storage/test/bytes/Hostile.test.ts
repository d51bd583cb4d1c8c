/** Files that were made to harm a reader: each is refused soon, by an error of its type, and in little memory. */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Zlib from "node:zlib"
import { BackupFile, DataDirectory, type MalformedFile, Snapshot, TransactionLog, TreeSource } from "../../src/index.ts"
import { openPartialFile } from "../../src/internal/backup/PartialFile.ts"
import { int, long, text } from "../support/fields.ts"
import { collect, withFiles, withMemory } from "../support/files.ts"

const MiB = 1_048_576

/** How much memory may be taken beside the test itself, in bytes. */
const ALLOWED = 400 * MiB

const snapshotHead = (sessions: number) => Buffer.concat([int(0x5a4b534e), int(2), long(-1), int(sessions)])

const logHead = Buffer.concat([int(0x5a4b4c47), int(2), long(0)])

/** The same bytes again and again, in chunks of a mebibyte. */
const endless = (head: Uint8Array, unit: Uint8Array) => {
  const chunk = new Uint8Array(Buffer.concat(Array.from({ length: Math.ceil(MiB / unit.length) }, () => unit)))
  return Effect.provide(
    FileSystem.layerNoop({
      stream: () =>
        Stream.concat(
          Stream.succeed(new Uint8Array(head)),
          Stream.take(Stream.forever(Stream.suspend(() => Stream.succeed(chunk))), 2048)
        )
    })
  )
}

/** The error of a stream, whose records are counted and not kept, and how much memory it took in between. */
const harm = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function* () {
    const used = () => {
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      return arrayBuffers + heapUsed
    }
    const before = used()
    let most = 0
    let records = 0
    const result = yield* Effect.result(
      Stream.runForEachArray(stream, (all) =>
        Effect.sync(() => {
          records += all.length
          most = Math.max(most, used() - before)
        })
      )
    )
    most = Math.max(most, used() - before)
    return { records, most, error: result._tag === "Failure" ? result.failure : undefined }
  })

describe("hostile files", () => {
  it.live("claim lengths that they do not have", () =>
    Effect.gen(function* () {
      const huge = 0x7fffffff
      const files: Readonly<Record<string, Buffer>> = {
        "a path": Buffer.concat([snapshotHead(0), int(0), int(huge), Buffer.alloc(100)]),
        data: Buffer.concat([snapshotHead(0), int(0), text(""), int(huge), Buffer.alloc(100)]),
        "an ACL": Buffer.concat([snapshotHead(0), int(1), long(1), int(huge), Buffer.alloc(100)]),
        "the scheme of an ACL": Buffer.concat([snapshotHead(0), int(1), long(1), int(1), int(31), int(huge)]),
        "the table of ACLs": Buffer.concat([snapshotHead(0), int(huge), Buffer.alloc(100)]),
        "the table of sessions": Buffer.concat([snapshotHead(huge), Buffer.alloc(100)]),
        "less than nothing": Buffer.concat([snapshotHead(0), int(0), int(-5), Buffer.alloc(100)])
      }
      for (const [what, bytes] of Object.entries(files)) {
        const { error } = yield* collect(Snapshot.read("/snapshot.1")).pipe(
          withMemory({ "/snapshot.1": new Uint8Array(bytes) })
        )
        assert.strictEqual(error?._tag, "MalformedFile", what)
        assert.include(["TooLarge", "Truncated", "Corrupt"], (error as MalformedFile).problem, what)
      }
      for (const length of [huge, 20 * MiB, -1]) {
        const bytes = new Uint8Array(Buffer.concat([logHead, long(1), int(length), Buffer.alloc(100, 1)]))
        const { error } = yield* collect(TransactionLog.read("/log.1")).pipe(withMemory({ "/log.1": bytes }))
        assert.strictEqual(error?._tag, "MalformedFile", `${length}`)
      }
    })
  )

  it.live("have tables without an end", () =>
    Effect.gen(function* () {
      const emptyAcls = Buffer.concat([snapshotHead(0), int(0x7fffffff)])
      const acls = yield* harm(Snapshot.read("/snapshot.1")).pipe(endless(emptyAcls, Buffer.concat([long(7), int(0)])))
      assert.deepInclude(acls.error, { _tag: "MalformedFile", problem: "TooLarge" })
      assert.isBelow(acls.records, 2_000_000)
      assert.isBelow(acls.most, ALLOWED)
    })
  )

  it.live("have one line, and no end of it", () =>
    Effect.gen(function* () {
      const header = {
        format: "effect-zookeeper-backup",
        version: 1,
        path: "/",
        from: "0x1",
        to: "0x1",
        isConsistent: true,
        time: "2026-01-01T00:00:00.000Z",
        znodes: 1,
        bytes: 1,
        ephemerals: 0,
        unreadable: []
      }
      const head = Buffer.from(`${JSON.stringify(header)}\n{"path":"/a","text":"`)
      const line = yield* harm(BackupFile.read("/x.ndjson")).pipe(endless(head, Buffer.from("secret")))
      assert.deepInclude(line.error, { _tag: "MalformedFile", problem: "TooLarge" })
      assert.isBelow(line.most, ALLOWED)
    })
  )

  it.live("are small, and their contents are not", () =>
    Effect.gen(function* () {
      const znode = (path: string) =>
        Buffer.concat([text(path), int(100_000), Buffer.alloc(100_000), long(-1), Buffer.alloc(60)])
      const parts = [snapshotHead(0), int(0), Buffer.concat([text(""), int(0), long(-1), Buffer.alloc(60)])]
      for (let n = 0; n < 400; n++) parts.push(znode(`/n${n}`))
      const bomb = new Uint8Array(Zlib.gzipSync(Buffer.concat(parts)))
      assert.isBelow(bomb.length, MiB)
      const files = withMemory({ "/data/snapshot.1.gz": bomb })
      const maxTreeSize = 20 * MiB
      const refused = yield* Effect.flip(TreeSource.snapshot("/data/snapshot.1.gz", { maxTreeSize })).pipe(files)
      assert.deepInclude(refused, { _tag: "MalformedFile", problem: "TooLarge" })
      assert.include(refused.message, "maxTreeSize")
      const directory = yield* Effect.flip(DataDirectory.treeAt("/data", { maxTreeSize })).pipe(files)
      assert.include(directory.message, "maxTreeSize")
    })
  )

  it.live("show nothing of what is in them by their errors", () =>
    Effect.gen(function* () {
      const secret = "correct horse"
      const path = new Uint8Array(Buffer.concat([snapshotHead(0), int(0), text(secret), int(0), Buffer.alloc(68)]))
      const { error } = yield* collect(Snapshot.read("/snapshot.1")).pipe(withMemory({ "/snapshot.1": path }))
      assert.notInclude(JSON.stringify(error), secret)
      const header = '{"format":"effect-zookeeper-backup"'
      for (const line of [`{"path":"/a","text":"${secret}`, `${secret}\n`, `${header},"path":"${secret}"}\n`]) {
        const bytes = new TextEncoder().encode(line)
        const { error } = yield* collect(BackupFile.read("/x.ndjson")).pipe(withMemory({ "/x.ndjson": bytes }))
        assert.strictEqual(error?._tag, "MalformedFile")
        assert.notInclude(JSON.stringify(error), secret)
      }
    })
  )

  it.live("are the rest of a backup that is not taken up", () =>
    Effect.gen(function* () {
      const folder = yield* TemporaryFolder.make("hostile-")
      const file = `${folder}/x.partial`
      const head = '{"partial":1,"path":"/","knowsKinds":false}\n'
      Fs.writeFileSync(file, `${head}${"x".repeat(48 * MiB)}`)
      const partial = yield* openPartialFile(file, head, true)
      assert.deepStrictEqual(partial.totals, { znodes: 0, bytes: 0, ephemerals: 0 })
      assert.strictEqual(Fs.statSync(file).size, head.length)
    }).pipe(Effect.scoped, withFiles)
  )
})
