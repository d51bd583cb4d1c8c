import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import {
  DataDirectory,
  type IncompleteDirectory,
  type MalformedFile,
  Snapshot,
  TransactionLog,
  Znode
} from "../../src/index.ts"
import { adler32 } from "../../src/internal/bytes/adler32.ts"
import { encodeSnapshot } from "../../src/internal/snapshot/encodeSnapshot.ts"
import { MutableTree } from "../../src/internal/tree/MutableTree.ts"
import type { Tree } from "../../src/Tree.ts"
import { collect, nameOf, withFiles, withFolder, withMemory } from "../support/files.ts"
import { filedTree } from "../support/histories.ts"
import { type Files, smallHistory } from "../support/smallHistory.ts"

const failureOf = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flip(effect)

/** The log in two files, the second of which begins with the transaction at this index. */
const splitLog = ({ files, log }: Files, index: number) =>
  Effect.gen(function* () {
    const bytes = files[log]!
    const { records } = yield* collect(TransactionLog.read(log))
    const { offset, zxid } = records[index]!
    const second = new Uint8Array(bytes.length - offset + 16)
    second.set(bytes.subarray(0, 16))
    second.set(bytes.subarray(offset), 16)
    return { first: bytes.slice(0, offset), second, secondName: `log.${zxid.toString(16)}`, records }
  })

/** Gives a transaction another zxid, with the checksum that it then has. */
const setZxid = (bytes: Uint8Array, offset: number, size: number, zxid: bigint) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setBigInt64(offset + 24, zxid)
  view.setBigInt64(offset, BigInt(adler32(bytes, offset + 12, offset + size - 1)))
}

describe("a data directory", () => {
  it.live("gives the tree at each transaction, whose digest is that of the server", () =>
    Effect.gen(function* () {
      const { files, log, snapshot } = yield* smallHistory()
      const { records } = yield* collect(TransactionLog.read(log))
      const paths: Array<ReadonlyArray<string>> = []
      for (const { change, zxid } of records) {
        const { digest, snapshot, tree, transactions } = yield* DataDirectory.treeAt("/data", { zxid }).pipe(
          withFolder(files)
        )
        assert.strictEqual(tree.zxid, zxid)
        assert.strictEqual(snapshot?.zxid, zxid === records.at(-1)!.zxid ? zxid : 0n)
        assert.strictEqual(digest._tag, "Same", `${change._tag} at ${zxid}`)
        if (snapshot?.zxid === 0n) assert.strictEqual(tree.zxid & 0xffffffffn, BigInt(transactions))
        paths.push(Array.from(tree.entries(), ({ path }) => path).filter((path) => !path.startsWith("/zookeeper")))
      }
      assert.deepStrictEqual(paths[0], ["/"])
      assert.sameMembers([...paths.at(-2)!], ["/", "/a", "/a/ä", "/b", "/e", "/t"])
      assert.sameMembers([...paths.at(-1)!], ["/", "/a", "/a/ä", "/b", "/t"])

      // Without any snapshot, from the first transaction.
      const whole = yield* DataDirectory.treeAt("/data").pipe(withFolder(files))
      const replayed = yield* DataDirectory.treeAt("/data").pipe(withFolder({ [log]: files[log]! }))
      assert.isUndefined(replayed.snapshot)
      const [filed, fromSnapshot] = [filedTree(replayed.tree), filedTree(whole.tree)]
      // The first configuration of an ensemble is written by each server, and is in no transaction.
      for (const tree of [filed, fromSnapshot]) tree.delete("/zookeeper/config")
      assert.deepStrictEqual(filed, fromSnapshot)
      assert.isDefined(files[snapshot])
    }).pipe(withFiles)
  )

  it.live("gives answers that JSON takes, with 64-bit numbers as decimal text", () =>
    Effect.gen(function* () {
      const { files, log, snapshot } = yield* smallHistory()
      const { records } = yield* collect(TransactionLog.read(log))
      const tags = new Set<string>()
      for (const record of records) {
        const json = JSON.parse(JSON.stringify(record))
        assert.deepStrictEqual(
          [json.zxid, json.session, `${json.digest?.value}`, json.offset],
          [`${record.zxid}`, `${record.session}`, `${record.digest?.value}`, record.offset]
        )
        const changes = record.change._tag === "Multi" ? record.change.changes : [record.change]
        for (const [index, change] of changes.entries()) {
          tags.add(change._tag)
          if (change._tag !== "Create" || change.ttl === undefined) continue
          const { ttl } = record.change._tag === "Multi" ? json.change.changes[index] : json.change
          assert.strictEqual(ttl, `${change.ttl}`)
          tags.add("ttl")
        }
        assert.strictEqual(json.change._tag, record.change._tag)
      }
      assert.isTrue(tags.has("ttl"), [...tags].join())
      const parts = yield* collect(Snapshot.read(snapshot))
      for (const record of parts.records) {
        const json = JSON.parse(JSON.stringify(record))
        if (record._tag === "Znode") assert.strictEqual(json.znode.czxid, `${record.znode.czxid}`)
        if (record._tag === "Session") assert.strictEqual(json.id, `${record.id}`)
        if (record._tag === "End") assert.strictEqual(`${json.digest?.value}`, `${record.digest?.value}`)
      }
      const listing = yield* DataDirectory.list("/data").pipe(withFolder(files))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(listing)).logs[0].zxid, `${listing.logs[0]?.zxid}`)
      const restored = yield* DataDirectory.treeAt("/data").pipe(withFolder(files))
      const { tree } = restored
      assert.deepStrictEqual(JSON.parse(JSON.stringify(restored)).tree, {
        zxid: `${tree.zxid}`,
        size: tree.size,
        digest: `${tree.digest}`
      })
      const { children: _, digest: _digest, ...fields } = { children: 0, digest: 0, ...tree.get("/a") }
      assert.hasAllKeys(JSON.parse(JSON.stringify(tree.get("/a"))), Object.keys(fields))
      assert.strictEqual(JSON.stringify(Znode.kindOf(7n)), '{"_tag":"Ephemeral","session":"7"}')
    }).pipe(withFiles)
  )

  it.live("passes over a snapshot with a wrong byte, and says so", () =>
    Effect.gen(function* () {
      const { files, snapshot } = yield* smallHistory()
      const right = yield* DataDirectory.treeAt("/data").pipe(withFolder(files))
      const wrong = files[snapshot]!.slice()
      wrong[100] = wrong[100]! ^ 1
      const {
        snapshot: used,
        tree,
        unusable
      } = yield* DataDirectory.treeAt("/data").pipe(withFolder({ ...files, [snapshot]: wrong }))
      assert.strictEqual(used?.zxid, 0n)
      assert.deepStrictEqual(
        unusable.map(({ file, problem }) => [file, problem]),
        [[`/data/${nameOf(snapshot)}`, "Corrupt"]]
      )
      assert.deepStrictEqual(filedTree(tree), filedTree(right.tree))

      const error = yield* DataDirectory.treeAt("/data").pipe(failureOf, withFolder({ [snapshot]: wrong }))
      assert.strictEqual(error._tag, "IncompleteDirectory")
      assert.include(error.message, "no snapshot can be used")
      assert.include(error.message, `${nameOf(snapshot)}\\" is corrupt`.replaceAll("\\", ""))
    }).pipe(withFiles)
  )

  it.live("is refused if transactions are missing", () =>
    Effect.gen(function* () {
      const history = yield* smallHistory()
      const { files, snapshot } = history
      const snapshotZero = Object.fromEntries(Object.entries(files).filter(([path]) => nameOf(path) === "snapshot.0"))
      const { first, records, second, secondName } = yield* splitLog(history, 9)
      const name = nameOf(history.log)
      const whole = { ...snapshotZero, [name]: first, [secondName]: second }
      const right = yield* DataDirectory.treeAt("/data").pipe(withFolder(whole))
      assert.deepStrictEqual(right.tree.zxid, records.at(-1)!.zxid)
      assert.deepStrictEqual(
        yield* DataDirectory.transactions("/data").pipe(
          Stream.runCollect,
          withFolder(whole),
          Effect.map((all) => Array.from(all, ({ zxid }) => zxid))
        ),
        records.map(({ zxid }) => zxid)
      )

      // The first log has lost its last transaction.
      const shorter = { ...whole, [name]: first.slice(0, records[8]!.offset) }
      for (const read of [DataDirectory.treeAt("/data"), Stream.runDrain(DataDirectory.transactions("/data"))]) {
        const error = yield* Effect.flip(Effect.asVoid(read)).pipe(withFolder(shorter))
        assert.strictEqual(
          (error as IncompleteDirectory).problem,
          `no file has the transactions after 0x${records[7]!.zxid.toString(16)} and before 0x${records[9]!.zxid.toString(16)}`
        )
      }
      const at = yield* DataDirectory.treeAt("/data", { zxid: records[8]!.zxid }).pipe(failureOf, withFolder(shorter))
      assert.strictEqual(at._tag, "IncompleteDirectory")

      // A zxid that no log has reached.
      const beyond = records.at(-1)!.zxid + 1n
      const late = yield* DataDirectory.treeAt("/data", { zxid: beyond }).pipe(failureOf, withFolder(whole))
      assert.include(late.message, `the last transaction is 0x${records.at(-1)!.zxid.toString(16)}`)
      const only = { [snapshot]: files[snapshot]! }
      assert.strictEqual((yield* DataDirectory.treeAt("/data").pipe(withFolder(only))).tree.zxid, records.at(-1)!.zxid)
      const early = yield* DataDirectory.treeAt("/data", { zxid: records[3]!.zxid }).pipe(failureOf, withFolder(only))
      assert.strictEqual(early._tag, "IncompleteDirectory")
    }).pipe(withFiles)
  )

  it.live("is refused if the first transactions of an epoch are missing", () =>
    Effect.gen(function* () {
      const history = yield* smallHistory()
      const { files, log } = history
      const snapshotZero = Object.fromEntries(Object.entries(files).filter(([path]) => nameOf(path) === "snapshot.0"))
      const { first, records, second } = yield* splitLog(history, 9)
      const later = yield* collect(TransactionLog.read("/log.1")).pipe(withMemory({ "/log.1": second }))
      for (const counter of [1n, 2n]) {
        const bytes = second.slice()
        later.records.forEach(({ offset, size }, at) =>
          setZxid(bytes, offset, size, (9n << 32n) + counter + BigInt(at))
        )
        const whole = { ...snapshotZero, [log]: first, [`log.90000000${counter}`]: bytes }
        const tree = yield* DataDirectory.treeAt("/data").pipe(Effect.result, withFolder(whole))
        const all = yield* collect(DataDirectory.transactions("/data")).pipe(withFolder(whole))
        assert.strictEqual(tree._tag, counter === 1n ? "Success" : "Failure")
        assert.strictEqual(all.error?._tag, counter === 1n ? undefined : "IncompleteDirectory")
        assert.lengthOf(all.records, counter === 1n ? records.length : 9)
      }
    }).pipe(withFiles)
  )

  it.effect("has no tree if a znode of its snapshot has no parent", () =>
    Effect.gen(function* () {
      const initial = MutableTree.initial(false)
      const entries = () => [initial.get("/")!, { ...initial.get("/")!, path: "/a/b" }].values()
      const tree: Tree = { ...initial, size: 2, digest: 0n, get: () => undefined, children: () => new Set(), entries }
      const bytes = new Uint8Array(Buffer.concat([...encodeSnapshot(tree)]))
      const error = yield* DataDirectory.treeAt("/data").pipe(failureOf, withFolder({ "/data/snapshot.0": bytes }))
      // 16 bytes of header, two empty tables, and the root of 76 bytes.
      const reason = `"/data/snapshot.0" is corrupt at byte 100: expected each znode once, and after its parent, found "/a/b"`
      assert.include(error.message, reason)
    })
  )

  it.live("takes an incomplete transaction for the end of a log, as servers do, and no other wrong byte", () =>
    Effect.gen(function* () {
      const { files, log } = yield* smallHistory()
      const snapshotZero = Object.fromEntries(Object.entries(files).filter(([path]) => nameOf(path) === "snapshot.0"))
      const { records } = yield* collect(TransactionLog.read(log))
      const last = records.at(-1)!
      const cut = files[log]!.slice(0, last.offset + last.size - 1)
      const { partial, tree } = yield* DataDirectory.treeAt("/data").pipe(withFolder({ ...snapshotZero, [log]: cut }))
      assert.strictEqual(tree.zxid, last.zxid - 1n)
      assert.strictEqual(partial?.offset, last.offset)

      const wrong = files[log]!.slice()
      wrong[records[4]!.offset + 20] = wrong[records[4]!.offset + 20]! ^ 1
      const error = yield* DataDirectory.treeAt("/data").pipe(failureOf, withFolder({ ...snapshotZero, [log]: wrong }))
      assert.strictEqual((error as MalformedFile).problem, "Corrupt")
      assert.strictEqual((error as MalformedFile).offset, records[4]!.offset)
    }).pipe(withFiles)
  )

  it.effect("lists its files by their zxids, and no others", () =>
    Effect.gen(function* () {
      const none = new Uint8Array(0)
      const names = [
        "log.a",
        "log.9",
        "snapshot.100",
        "snapshot.ff.gz",
        "snapshot.2.snappy",
        "log.x",
        "currentEpoch",
        "snapshot.1.tmp"
      ]
      const listing = yield* DataDirectory.list("/data/").pipe(
        withFolder(Object.fromEntries(names.map((name) => [name, none])))
      )
      assert.deepStrictEqual(listing, {
        snapshots: [
          { path: "/data/snapshot.2.snappy", zxid: 2n },
          { path: "/data/snapshot.ff.gz", zxid: 255n },
          { path: "/data/snapshot.100", zxid: 256n }
        ],
        logs: [
          { path: "/data/log.9", zxid: 9n },
          { path: "/data/log.a", zxid: 10n }
        ]
      })
    })
  )
})
