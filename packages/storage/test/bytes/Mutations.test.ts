import { choices, mutate, noise } from "@effect-zookeeper/test-kit/fuzz/Mutation"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Snapshot, TransactionLog } from "../../src/index.ts"
import { collect, withFiles, withMemory } from "../support/files.ts"
import { smallHistory } from "../support/smallHistory.ts"

const cases = process.env["ZK_LONG"] === "1" ? 100_000 : 1_500

describe("files that are broken in any way", () => {
  it.live(
    "are read to their end or fail with MalformedFile, and no log gives a transaction that was not in it",
    () =>
      Effect.gen(function* () {
        const { files, log, snapshot } = yield* smallHistory()
        const { records } = yield* collect(TransactionLog.read(log))
        const known = new Map(records.map((record) => [record.zxid, { ...record, offset: 0 }]))
        const choose = choices(1)
        let refused = 0
        for (let at = 0; at < cases; at++) {
          const end = ["", ".gz", ".snappy"][choose(3)]!
          const bytes =
            at % 10 === 0 ? noise(2000, choose) : mutate(files[snapshot]!, files[log]!.slice(0, 2000), choose)
          const name = `/snapshot.1${end}`
          const read = yield* collect(Snapshot.read(name)).pipe(withMemory({ [name]: bytes }, 1 + choose(5000)))
          if (read.error !== undefined) {
            assert.strictEqual(read.error._tag, "MalformedFile")
            refused++
          }

          const broken = mutate(files[log]!.slice(0, 4000), files[snapshot]!, choose)
          const logged = yield* collect(TransactionLog.read("/log.1")).pipe(
            withMemory({ "/log.1": broken }, 1 + choose(5000))
          )
          if (logged.error !== undefined) assert.strictEqual(logged.error._tag, "MalformedFile")
          for (const record of logged.records) assert.deepStrictEqual({ ...record, offset: 0 }, known.get(record.zxid))
        }
        assert.isAbove(refused, cases / 2)
      }).pipe(withFiles),
    process.env["ZK_LONG"] === "1" ? 600_000 : 60_000
  )
})
