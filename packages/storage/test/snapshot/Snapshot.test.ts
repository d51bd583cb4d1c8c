import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DataDirectory, type MalformedFile, Snapshot } from "../../src/index.ts"
import { collect, withFiles, withMemory } from "../support/files.ts"
import { smallHistory } from "../support/smallHistory.ts"

/** The tree of a directory that has this one snapshot and no log. */
const treeOf = (path: string, bytes: Uint8Array) =>
  DataDirectory.treeAt("/data").pipe(Effect.result, withMemory({ [path]: bytes }))

describe("a snapshot of a real server", () => {
  for (const [name, config] of [
    ["plain", []],
    ["gzip", ["snapshot.compression.method=gz"]],
    ["Snappy", ["snapshot.compression.method=snappy"]]
  ] as const) {
    it.live(
      `shows nothing wrong, whichever byte is wrong or missing (${name})`,
      () =>
        Effect.gen(function* () {
          const { files, snapshot } = yield* smallHistory(config)
          const bytes = files[snapshot]!
          const path = `/data/${snapshot.slice(snapshot.lastIndexOf("/") + 1)}`
          const read = (contents: Uint8Array, chunkSize?: number) =>
            collect(Snapshot.read(path)).pipe(withMemory({ [path]: contents }, chunkSize))
          const whole = yield* read(bytes)
          assert.isUndefined(whole.error)
          const znodes = whole.records.flatMap((record) => (record._tag === "Znode" ? [record.znode.path] : []))
          assert.includeMembers(znodes, ["/", "/a", "/a/ä", "/b", "/t", "/zookeeper/config"])
          const end = whole.records.at(-1)!
          assert.strictEqual(end._tag === "End" ? end.digest?.version : undefined, 2)
          for (const chunkSize of [1, 7, 100]) assert.deepStrictEqual(yield* read(bytes, chunkSize), whole)
          const right = yield* treeOf(path, bytes)
          const treeEntries = right._tag === "Success" ? [...right.success.tree.entries()] : []
          assert.sameMembers(
            treeEntries.map((znode) => znode.path),
            znodes
          )

          for (let at = 0; at < bytes.length; at++) {
            const wrong = bytes.slice()
            wrong[at] = wrong[at]! ^ ((at % 255) + 1)
            const { error } = yield* read(wrong)
            // The header of gzip has bytes without a meaning, and in Snappy other bytes can have the same contents.
            if (name !== "plain" && error === undefined) {
              assert.deepStrictEqual((yield* read(wrong)).records, whole.records)
              continue
            }
            assert.strictEqual(error?._tag, "MalformedFile", `byte ${at}`)
            assert.strictEqual((yield* treeOf(path, wrong))._tag, "Failure", `byte ${at}`)
          }
          for (let size = 0; size < bytes.length; size++) {
            const { error, records } = yield* read(bytes.slice(0, size))
            // Without the digest it is a snapshot as before ZooKeeper 3.6.
            if (name !== "gzip" && error === undefined) {
              assert.deepStrictEqual(records.slice(0, -1), whole.records.slice(0, -1))
              assert.include(records.at(-1), { _tag: "End", digest: undefined })
              continue
            }
            assert.strictEqual(error?._tag, "MalformedFile", `${size} bytes`)
            if (name === "plain") {
              assert.deepStrictEqual(records, whole.records.slice(0, records.length), `${size} bytes`)
              const isInTail = size > bytes.length - 33
              assert.isTrue((error as MalformedFile).problem === "Truncated" || isInTail, `${size} bytes`)
            }
          }
        }).pipe(withFiles),
      60_000
    )
  }

  it.effect("is told apart from another file", () =>
    Effect.gen(function* () {
      for (const end of ["", ".gz", ".snappy"]) {
        const file = `/snapshot.1${end}`
        const { error, records } = yield* collect(Snapshot.read(file)).pipe(
          withMemory({ [file]: new Uint8Array(Buffer.from("not a snapshot at all, but long enough")) })
        )
        assert.deepStrictEqual(records, [])
        assert.strictEqual((error as MalformedFile).problem, end === ".gz" ? "Corrupt" : "Foreign")
      }
    })
  )
})
