/** The lines of a backup, which are checked and written without their Schemas. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { BackupFile } from "../../src/index.ts"
import { isRecord } from "../../src/internal/backup/isRecord.ts"

const hex = "0x100000002"

const record: BackupFile.Record = {
  path: "/a",
  kind: "ttl",
  ttl: 60_000,
  text: "data",
  base64: "",
  acl: [
    { perms: 31, scheme: "world", id: "anyone" },
    { perms: 1, scheme: "ip", id: "127.0.0.1" }
  ],
  stat: {
    czxid: hex,
    mzxid: hex,
    pzxid: hex,
    ctime: 1_700_000_000_000,
    mtime: 1_700_000_000_000,
    version: 1,
    cversion: 2,
    aversion: 3,
    ephemeralOwner: "0x0",
    dataLength: 4,
    numChildren: 5
  }
}

const wrong = [
  null,
  true,
  "",
  "x",
  "0x",
  "0X1",
  "0x1f",
  "0xg",
  "0x12345678901234567",
  0,
  1.5,
  -1,
  2 ** 60,
  [],
  {},
  [[]]
]

/** The value with each of its parts in turn missing or replaced, at any depth. */
function* variantsOf(value: unknown): Generator<unknown> {
  yield* wrong
  if (typeof value !== "object" || value === null) return
  const copy = (): unknown => (Array.isArray(value) ? [...value] : { ...value })
  for (const [key, part] of Object.entries(value)) {
    const without = copy()
    Reflect.deleteProperty(Object(without), key)
    // A hole in an array is nothing that JSON has.
    if (!Array.isArray(value)) yield without
    for (const variant of variantsOf(part)) yield Object.assign(Object(copy()), { [key]: variant })
  }
  if (!Array.isArray(value)) yield { ...value, other: 1 }
}

describe("the line of a znode", () => {
  it("is right where its Schema says so, and nowhere else", () => {
    const decode = Schema.decodeUnknownResult(BackupFile.Record)
    let right = 0
    let all = 0
    for (const variant of [record, ...variantsOf(record)]) {
      const expected = Result.isSuccess(decode(variant))
      assert.strictEqual(isRecord(variant), expected, JSON.stringify(variant))
      all++
      if (expected) right++
    }
    assert.isAbove(right, 10)
    assert.isAbove(all - right, 200)
  })
})
