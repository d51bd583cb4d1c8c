import type { Change, SimpleChange, Transaction } from "@effect-zookeeper/storage"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { makeSessionEnds } from "../../src/internal/files/sessionEnds.ts"
import { inFolder } from "../support/folder.ts"
import { sessionLog } from "../support/logs.ts"
import { run } from "../support/zk.ts"

const create = (path: string, ephemeral = true): SimpleChange => ({
  _tag: "Create",
  operation: "create",
  path,
  data: null,
  acl: [],
  ephemeral,
  ttl: undefined,
  parentCversion: 1
})

const remove = (path: string): SimpleChange => ({ _tag: "Delete", path, container: false })

const end: Change = { _tag: "CloseSession", paths: undefined }

/** The paths of the ends of sessions in these transactions. */
const endsOf = (...changes: ReadonlyArray<readonly [session: bigint, change: Change]>) => {
  const next = makeSessionEnds()
  return changes.flatMap(([session, change], index) => {
    const zxid = BigInt(index + 1)
    const transaction: Transaction = {
      ...{ zxid, time: index, session, cxid: index, change },
      ...{ digest: undefined, offset: 0, size: 0 }
    }
    const { change: after } = next(transaction)
    return after._tag === "CloseSession" ? [after.paths] : []
  })
}

describe("the end of a session in a log before ZooKeeper 3.6", () => {
  it("has the ephemeral znodes that the session had then", () => {
    const ends = endsOf(
      [1n, create("/lock")],
      [1n, create("/kept", false)],
      [2n, create("/other")],
      [1n, { _tag: "Multi", changes: [create("/a"), create("/b")] }],
      [1n, { _tag: "Multi", changes: [create("/refused"), { _tag: "Error", code: -110 }] }],
      // Another session may delete it.
      [2n, remove("/a")],
      [1n, end],
      [2n, end],
      [1n, end]
    )
    assert.deepStrictEqual(ends, [["/lock", "/b"], ["/other"], undefined])
  })

  it("keeps the paths that the server has logged", () => {
    assert.deepStrictEqual(endsOf([1n, create("/lock")], [1n, { _tag: "CloseSession", paths: [] }]), [[]])
  })
})

describe("zk log grep", () => {
  it.effect("finds the end of a session among what deleted its ephemeral znodes", () =>
    Effect.gen(function* () {
      const file = `${yield* inFolder}/log.1`
      for (const isNamed of [true, false]) {
        Fs.writeFileSync(file, sessionLog("/lock", { isNamed }))
        for (const type of ["delete", "closeSession"]) {
          const { code, err, out } = yield* run(["log", "grep", "/lock", file, "--type", type])
          assert.deepStrictEqual([code, err], [0, ""])
          assert.match(out, /^0x3 .* 0x2 +ends its session, and deletes \/lock\n$/)
        }
        const other = yield* run(["log", "grep", "/other", file, "--type", "delete"])
        assert.deepStrictEqual([other.code, other.out], [0, ""])
        const stats = yield* run(["log", "stats", file, "--json"])
        assert.sameDeepMembers(
          JSON.parse(stats.out).types,
          ["createSession", "create", "closeSession"].map((type) => ({ type, count: 1 }))
        )
      }
    })
  )
})
