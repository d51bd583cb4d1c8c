import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as CreateMode from "../../src/CreateMode.ts"

describe("CreateMode", () => {
  const table: ReadonlyArray<
    readonly [mode: CreateMode.CreateMode, flags: number, sequential: boolean, ephemeral: boolean, ttl: boolean]
  > = [
    ["persistent", 0, false, false, false],
    ["ephemeral", 1, false, true, false],
    ["persistentSequential", 2, true, false, false],
    ["ephemeralSequential", 3, true, true, false],
    ["container", 4, false, false, false],
    ["persistentWithTtl", 5, false, false, true],
    ["persistentSequentialWithTtl", 6, true, false, true]
  ]

  for (const [mode, flags, sequential, ephemeral, ttl] of table) {
    it(`${mode} has the flags ${flags} and means what it says`, () => {
      assert.strictEqual(CreateMode.flags[mode], flags)
      assert.strictEqual(CreateMode.fromFlags(flags), mode)
      assert.strictEqual(CreateMode.isSequential(mode), sequential)
      assert.strictEqual(CreateMode.isEphemeral(mode), ephemeral)
      assert.strictEqual(CreateMode.hasTtl(mode), ttl)
      assert.isTrue(CreateMode.isCreateMode(mode))
    })
  }

  it("has no other modes", () => {
    assert.deepStrictEqual(
      CreateMode.all,
      table.map(([mode]) => mode)
    )
    assert.sameMembers(Object.keys(CreateMode.flags), [...CreateMode.all])
    for (const flags of [-1, 7, 0.5, Number.NaN, 2 ** 32]) {
      assert.strictEqual(CreateMode.fromFlags(flags), undefined)
    }
    for (const other of ["", "Persistent", "toString", "__proto__", 0, undefined, null]) {
      assert.isFalse(CreateMode.isCreateMode(other))
    }
  })
})

describe("validateTtl", () => {
  for (const ttl of [1, 1000, 2 ** 31, 2 ** 32, 2 ** 40 - 1]) {
    it(`accepts ${ttl}`, () => {
      assert.deepStrictEqual(CreateMode.validateTtl(ttl), Result.succeed(ttl))
    })
  }

  for (const ttl of [0, -0, -1, 0.5, 1.5, 2 ** 40, Number.NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER]) {
    it(`rejects ${ttl}`, () => {
      const error = Result.getOrThrow(Result.flip(CreateMode.validateTtl(ttl, "options.ttl")))
      assert.deepInclude({ ...error }, { argument: "options.ttl", value: String(ttl) })
      assert.include(error.message, "1099511627775")
    })
  }

  it.prop("accepts exactly what fits the server's 40 bits", [Schema.Number], ([ttl]) => {
    const fits = Number.isSafeInteger(ttl) && ttl > 0 && BigInt(ttl) >> 40n === 0n
    assert.strictEqual(Result.isSuccess(CreateMode.validateTtl(ttl)), fits)
  })
})
