import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { DataDirectory, Snapshot, TransactionLog, type Tree, TreeSource } from "../../src/index.ts"
import { adler32 } from "../../src/internal/bytes/adler32.ts"
import { encodeSnapshot } from "../../src/internal/snapshot/encodeSnapshot.ts"
import { collect, nameOf, withFiles, withFolder } from "../support/files.ts"
import { filedTree } from "../support/histories.ts"
import { smallHistory } from "../support/smallHistory.ts"

/** A log, its transactions, and the snapshot with which the server has begun. */
const history = Effect.gen(function* () {
  const { files, log } = yield* smallHistory()
  const { records } = yield* collect(TransactionLog.read(log))
  const first = Object.fromEntries(Object.entries(files).filter(([path]) => nameOf(path) === "snapshot.0"))
  return { bytes: files[log]!, first, log, records }
})

/** A snapshot of this tree, in which a znode has an ACL that is not in the table. */
const withUnknownAcl = (tree: Tree, path: string): Uint8Array => {
  const [body, seal, digest, secondSeal] = Array.from(encodeSnapshot(tree), (chunk) => Buffer.from(chunk))
  const name = Buffer.from(path)
  const length = Buffer.alloc(4)
  length.writeInt32BE(name.length)
  const at = body!.indexOf(Buffer.concat([length, name])) + 4 + name.length
  body!.writeBigInt64BE(7n, at + 4 + Math.max(0, body!.readInt32BE(at)))
  const sealed = (bytes: Buffer, by: Buffer) => {
    by.writeBigInt64BE(BigInt(adler32(bytes, 0, bytes.length)))
    return Buffer.concat([bytes, by])
  }
  return sealed(Buffer.concat([sealed(body!, seal!), digest!]), secondSeal!)
}

/** A log with another digest of the tree after a transaction, and the checksum that fits. */
const withOtherDigest = (log: Uint8Array, { offset }: { readonly offset: number }): Uint8Array => {
  const bytes = Buffer.from(log)
  const begin = offset + 12
  const end = begin + bytes.readInt32BE(offset + 8)
  bytes.writeBigInt64BE(bytes.readBigInt64BE(end - 8) + 1n, end - 8)
  bytes.writeBigInt64BE(BigInt(adler32(bytes, begin, end)), offset)
  return bytes
}

const text = (bytes: bigint) => `0x${bytes.toString(16)}`

describe("a data directory with wrong or missing bytes", () => {
  it.live("is different from the digests where none of the last ones agrees, not where one is wrong", () =>
    Effect.gen(function* () {
      const { bytes, first, log, records } = yield* history
      const [before, last] = records.slice(-2)
      const judge = (damaged: Uint8Array) =>
        Effect.map(DataDirectory.treeAt("/data"), ({ digest }) => digest).pipe(withFolder({ ...first, [log]: damaged }))
      assert.deepStrictEqual(yield* judge(withOtherDigest(bytes, before!)), { _tag: "Same" })
      const both = withOtherDigest(withOtherDigest(bytes, before!), last!)
      assert.deepInclude(yield* judge(both), { _tag: "Different", zxid: before!.zxid })
    }).pipe(withFiles)
  )

  it.live("has the tree of each transaction before a wrong byte, and names the last one", () =>
    Effect.gen(function* () {
      const { bytes, first, log, records } = yield* history
      const good = records[3]!
      const wrong = bytes.slice()
      wrong[records[4]!.offset + 20] = wrong[records[4]!.offset + 20]! ^ 1
      const cut = bytes.slice(0, records[4]!.offset + 30)
      for (const damaged of [wrong, cut]) {
        const { digest, tree } = yield* DataDirectory.treeAt("/data", { zxid: good.zxid }).pipe(
          withFolder({ ...first, [log]: damaged })
        )
        assert.strictEqual(tree.zxid, good.zxid)
        assert.strictEqual(digest._tag, "Same")
      }
      for (const options of [{}, { zxid: records[4]!.zxid }, { time: records.at(-1)!.time }]) {
        const error = yield* Effect.flip(DataDirectory.treeAt("/data", options)).pipe(
          withFolder({ ...first, [log]: wrong })
        )
        assert.deepInclude(error, { _tag: "MalformedFile", problem: "Corrupt", lastZxid: good.zxid })
        assert.include(error.message, `the transactions up to ${text(good.zxid)} are right`)
      }
    }).pipe(withFiles)
  )

  it.live("is read without a last log that ends within its header, as a full disk leaves it", () =>
    Effect.gen(function* () {
      const { bytes, first, log, records } = yield* history
      const last = records.at(-1)!
      const whole = bytes.slice(0, last.offset + last.size)
      for (const size of [0, 1, 8, 15]) {
        const files = { ...first, [log]: whole, [`log.${(last.zxid + 1n).toString(16)}`]: bytes.slice(0, size) }
        const { partial, tree } = yield* DataDirectory.treeAt("/data").pipe(withFolder(files))
        assert.strictEqual(tree.zxid, last.zxid)
        assert.deepInclude(partial, { problem: "Partial", expected: "the header of a log" })
        assert.strictEqual(yield* DataDirectory.zxidAt("/data", last.time).pipe(withFolder(files)), last.zxid)
        // The server has gone on with another log.
        const next = yield* DataDirectory.treeAt("/data").pipe(
          withFolder({ ...files, [`log.${(last.zxid + 2n).toString(16)}`]: whole })
        )
        assert.isUndefined(next.partial)
        const all = yield* collect(DataDirectory.transactions("/data")).pipe(withFolder(files))
        assert.lengthOf(all.records, records.length)
      }
      const other = yield* collect(TransactionLog.read("/data/log.1")).pipe(
        withFolder({ "log.1": Buffer.from("something") })
      )
      assert.deepInclude(other.error, { problem: "Truncated" })
    }).pipe(withFiles)
  )

  it.live("has the ACL of the log where the snapshot has one that was new while it was written", () =>
    Effect.gen(function* () {
      const { bytes, first, log, records } = yield* history
      const created = records.find(({ change }) => change._tag === "Create" && change.path === "/a/ä")!
      const set = records.find(({ change }) => change._tag === "SetAcl" && change.path === "/a")!
      const right = yield* DataDirectory.treeAt("/data").pipe(withFolder({ ...first, [log]: bytes }))
      for (const [{ zxid }, path] of [
        [created, "/a/ä"],
        [set, "/a"]
      ] as const) {
        const { tree } = yield* DataDirectory.treeAt("/data", { zxid }).pipe(withFolder({ ...first, [log]: bytes }))
        const name = `snapshot.${(zxid - 1n).toString(16)}`
        const snapshot = withUnknownAcl(tree, path)
        const both = { [name]: snapshot, [log]: bytes }
        const restored = yield* DataDirectory.treeAt("/data").pipe(withFolder(both))
        assert.deepStrictEqual([restored.snapshot?.path, restored.unusable], [`/data/${name}`, []])
        assert.deepStrictEqual(filedTree(restored.tree), filedTree(right.tree))

        // Without the transaction that has set it, it is not known.
        const error = yield* Effect.flip(DataDirectory.treeAt("/data")).pipe(withFolder({ [name]: snapshot }))
        assert.strictEqual(error._tag, "IncompleteDirectory")
        for (const read of [TreeSource.snapshot(`/data/${name}`), Stream.runDrain(Snapshot.read(`/data/${name}`))]) {
          const strict = yield* Effect.flip(Effect.asVoid(read)).pipe(withFolder(both))
          assert.deepInclude(strict, { _tag: "MalformedFile", problem: "Corrupt" })
          assert.include(strict.message, "the number of an ACL in the table before the znodes")
        }
      }
    }).pipe(withFiles)
  )

  it.live("may have a configuration of the ensemble that is ahead of the logs", () =>
    Effect.gen(function* () {
      const { bytes, first, log, records } = yield* history
      const zxid = records.at(-1)!.zxid
      const { tree } = yield* DataDirectory.treeAt("/data").pipe(withFolder({ ...first, [log]: bytes }))
      const mzxid = zxid + 5n
      const ahead: Tree = {
        zxid,
        size: tree.size,
        get: (path) => tree.get(path),
        children: (path) => tree.children(path),
        *entries() {
          for (const znode of tree.entries()) yield znode.path === "/zookeeper/config" ? { ...znode, mzxid } : znode
        },
        sessions: tree.sessions,
        digest: tree.digest
      }
      const files = { [`snapshot.${zxid.toString(16)}`]: Buffer.concat([...encodeSnapshot(ahead)]), [log]: bytes }
      for (const options of [{}, { zxid }]) {
        const restored = yield* DataDirectory.treeAt("/data", options).pipe(withFolder(files))
        assert.strictEqual(restored.snapshot?.zxid, zxid)
        assert.strictEqual(restored.tree.get("/zookeeper/config")?.mzxid, mzxid)
        assert.deepStrictEqual(restored.digest, { _tag: "Same" })
      }
    }).pipe(withFiles)
  )

  it.live("is refused where the snapshot is ahead of the logs, which may be in another folder", () =>
    Effect.gen(function* () {
      const { bytes, first, log, records } = yield* history
      const { zxid } = records.find(({ change }) => change._tag === "Create")!
      const { tree } = yield* DataDirectory.treeAt("/data", { zxid }).pipe(withFolder({ ...first, [log]: bytes }))
      const name = `snapshot.${(zxid - 1n).toString(16)}`
      const snapshot = Buffer.concat([...encodeSnapshot(tree)])
      const error = yield* Effect.flip(DataDirectory.treeAt("/data")).pipe(withFolder({ [name]: snapshot }))
      assert.strictEqual(error._tag, "IncompleteDirectory")
      assert.include(
        error.message,
        `the logs end at ${text(zxid - 1n)}, and the snapshot has changes up to ${text(zxid)}`
      )
      const whole = yield* DataDirectory.treeAt("/data").pipe(withFolder({ [name]: snapshot, [log]: bytes }))
      assert.strictEqual(whole.tree.zxid, records.at(-1)!.zxid)
      const told: Array<DataDirectory.Restored> = []
      yield* TreeSource.dataDirectory("/data", { onRestored: (restored) => told.push(restored) }).pipe(
        withFolder({ [name]: snapshot, [log]: bytes })
      )
      assert.deepStrictEqual(
        told.map(({ digest, tree, unusable }) => [digest, tree.zxid, unusable]),
        [[whole.digest, whole.tree.zxid, []]]
      )
    }).pipe(withFiles)
  )
})
