import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type MalformedFile, TransactionLog } from "../../src/index.ts"
import { collect, withFiles, withMemory } from "../support/files.ts"
import { smallHistory } from "../support/smallHistory.ts"

const readBytes = (bytes: Uint8Array, chunkSize?: number) =>
  collect(TransactionLog.read("/log.1")).pipe(withMemory({ "/log.1": bytes }, chunkSize))

const open = [{ perms: 31, scheme: "world", id: "anyone" }]
const readOnly = [{ perms: 1, scheme: "world", id: "anyone" }]
const text = (value: string) => new Uint8Array(Buffer.from(value))
const created = { _tag: "Create", data: null, acl: open, ephemeral: false, ttl: undefined }

describe("a transaction log of a real server", () => {
  it.live("has every type of transaction with its fields", () =>
    Effect.gen(function* () {
      const { log } = yield* smallHistory()
      const { error, records } = yield* collect(TransactionLog.read(log))
      assert.isUndefined(error)
      const changes = records.map(({ change }) => change)
      const config = changes.find((change) => change._tag === "SetData" && change.path === "/zookeeper/config")
      assert.include(config, { reconfig: true })
      assert.deepStrictEqual<unknown>(
        changes.filter((change) => change !== config),
        [
          { _tag: "CreateSession", timeout: 10_000 },
          { ...created, operation: "create", path: "/a", data: text("one"), parentCversion: 1 },
          { ...created, operation: "create2", path: "/a/ä", acl: readOnly, parentCversion: 1 },
          { _tag: "SetData", path: "/a", data: text("two"), version: 1, reconfig: false },
          { _tag: "SetAcl", path: "/a", acl: readOnly, version: 1 },
          { _tag: "Error", code: -102 },
          { ...created, operation: "createTTL", path: "/t", ttl: 3_600_000n, parentCversion: 2 },
          { ...created, operation: "create", path: "/e", ephemeral: true, parentCversion: 3 },
          { ...created, operation: "createContainer", path: "/c", parentCversion: 4 },
          { ...created, operation: "create", path: "/c/child", parentCversion: 1 },
          { ...created, operation: "create", path: "/b", parentCversion: 5 },
          { _tag: "Error", code: -110 },
          {
            _tag: "Multi",
            changes: [
              { ...created, operation: "create", path: "/m", data: text("m"), parentCversion: 6 },
              { _tag: "SetData", path: "/b", data: text("x"), version: 1, reconfig: false },
              { _tag: "Check", path: "/b", version: 2 },
              { _tag: "Delete", path: "/m", container: false }
            ]
          },
          {
            _tag: "Multi",
            changes: [
              { ...created, operation: "create", path: "/n", parentCversion: 7 },
              { _tag: "Error", code: -103 },
              { _tag: "Error", code: -2 }
            ]
          },
          { _tag: "Delete", path: "/c/child", container: false },
          { _tag: "Delete", path: "/c", container: true },
          { _tag: "CloseSession", paths: ["/e"] }
        ]
      )
      const [first] = records
      for (const [index, { change, digest, session, zxid }] of records.entries()) {
        assert.strictEqual(zxid, first!.zxid + BigInt(index))
        // Servers log none for a refusal.
        assert.strictEqual(digest?.version, change._tag === "Error" ? undefined : 2)
        if (change._tag !== "Delete") assert.strictEqual(session, first!.session)
      }
    }).pipe(withFiles)
  )

  it.live("is read the same in chunks of any size, and never past a wrong byte or a cut", () =>
    Effect.gen(function* () {
      const { files, log } = yield* smallHistory()
      const bytes = files[log]!
      const { records } = yield* readBytes(bytes)
      const end = records.at(-1)!.offset + records.at(-1)!.size
      for (const chunkSize of [1, 7, 100]) {
        assert.deepStrictEqual(yield* readBytes(bytes, chunkSize), { records, error: undefined })
      }
      /** The transactions that end at or before an offset. */
      const before = (offset: number) => records.filter((record) => record.offset + record.size <= offset)

      // Padding is the same from byte to byte, so that some of it stands for all.
      for (let at = 0; at < end + 200; at++) {
        const wrong = bytes.slice()
        wrong[at] = wrong[at]! ^ ((at % 255) + 1)
        const { error, records: given } = yield* readBytes(wrong)
        assert.strictEqual(error?._tag, "MalformedFile", `byte ${at}`)
        assert.deepStrictEqual(given, before(at), `byte ${at}`)
        const { offset } = error as MalformedFile
        assert.isTrue(offset <= at && offset >= (given.at(-1)?.offset ?? 0), `byte ${at} is reported at ${offset}`)
      }

      const unpadded = bytes.slice(0, end)
      for (let size = 0; size <= end; size++) {
        const { error, records: given } = yield* readBytes(unpadded.slice(0, size))
        assert.deepStrictEqual(given, before(size), `${size} bytes`)
        // A checksum begins with four zeros or more, which may as well be reserved space.
        const rest = unpadded.subarray(Math.max(16, ...given.map((record) => record.offset + record.size)), size)
        const isComplete = size >= 16 && rest.every((byte) => byte === 0)
        assert.strictEqual(
          (error as MalformedFile | undefined)?.problem,
          isComplete ? undefined : "Partial",
          `${size} bytes`
        )
        // The same file with reserved space: the transaction that was being written is incomplete.
        const padded = new Uint8Array(end + 100)
        padded.set(unpadded.subarray(0, size))
        const torn = yield* readBytes(padded)
        assert.deepStrictEqual(torn.records, before(size), `${size} bytes and zeros`)
      }
    }).pipe(withFiles)
  )

  it.effect("is told apart from another file", () =>
    Effect.gen(function* () {
      const { error } = yield* readBytes(text("not a log at all, but long enough"))
      assert.strictEqual((error as MalformedFile).problem, "Foreign")
      assert.strictEqual(
        error?.message,
        '"/log.1" is not a file of this kind at byte 0: expected 0x5a4b4c47, with which logs begin, found 0x6e6f7420'
      )
    })
  )

  it.effect("is refused when a transaction is longer than the limit", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(64)
      bytes.set(text("ZKLG"))
      bytes[7] = 2
      new DataView(bytes.buffer).setInt32(24, 0x7fffffff)
      const { error } = yield* readBytes(bytes)
      assert.strictEqual((error as MalformedFile).problem, "TooLarge")
    })
  )

  it.live("that does not exist fails with the reason", () =>
    Effect.gen(function* () {
      const { error } = yield* collect(TransactionLog.read("/nowhere/log.1"))
      assert.strictEqual(error?._tag, "FileAccessError")
      assert.strictEqual(error?.message, 'cannot read "/nowhere/log.1": there is no such file or folder')
    }).pipe(withFiles)
  )
})
