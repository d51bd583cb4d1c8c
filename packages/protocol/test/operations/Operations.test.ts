import { assert, describe, it } from "@effect/vitest"
import type * as Operation from "../../src/Operation.ts"
import * as Operations from "../../src/Operations.ts"

describe("the operation table", () => {
  it("has every operation of the client protocol, with its number", () => {
    assert.deepStrictEqual(Object.fromEntries(Operations.all.map((row) => [row.name, row.opCode])), {
      create: 1,
      delete: 2,
      exists: 3,
      getData: 4,
      setData: 5,
      getACL: 6,
      setACL: 7,
      getChildren: 8,
      sync: 9,
      ping: 11,
      getChildren2: 12,
      check: 13,
      multi: 14,
      create2: 15,
      reconfig: 16,
      checkWatches: 17,
      removeWatches: 18,
      createContainer: 19,
      createTTL: 21,
      multiRead: 22,
      auth: 100,
      setWatches: 101,
      sasl: 102,
      getEphemerals: 103,
      getAllChildrenNumber: 104,
      setWatches2: 105,
      addWatch: 106,
      whoAmI: 107,
      closeSession: -11
    })
  })

  it("has each name and each number once", () => {
    assert.strictEqual(new Set(Operations.all.map((row) => row.name)).size, Operations.all.length)
    assert.strictEqual(new Set(Operations.all.map((row) => row.opCode)).size, Operations.all.length)
  })

  it("lists every row that is exported, and no other", () => {
    const exported = Object.values<object>(Operations).filter((value): value is Operation.Any => "opCode" in value)
    assert.sameMembers(exported, [...Operations.all])
  })

  it("finds a row by its number", () => {
    for (const row of Operations.all) assert.strictEqual(Operations.byOpCode(row.opCode), row)
    for (const opCode of [0, 10, 20, -10, 108, 2 ** 31 - 1]) assert.isUndefined(Operations.byOpCode(opCode))
  })

  it("says of each row whether a lost reply matters", () => {
    const ofKind = (kind: Operation.Kind) => Operations.all.filter((row) => row.kind === kind).map((row) => row.name)
    const changing = ["setData", "setACL", "delete", "check", "multi", "reconfig"]
    assert.sameMembers(ofKind("write"), ["create", "create2", "createContainer", "createTTL", ...changing])
    const watching = ["setWatches", "setWatches2", "addWatch", "removeWatches", "checkWatches"]
    assert.sameMembers(ofKind("session"), ["ping", "auth", "sasl", ...watching, "closeSession"])
  })

  it("names the release that each row is from, and no error twice in a row", () => {
    for (const row of Operations.all) {
      assert.match(row.since, /^3\.\d\.\d$/, row.name)
      assert.strictEqual(new Set(row.errors).size, row.errors.length, row.name)
    }
  })

  it("lets in a multi only what servers accept there", () => {
    assert.deepStrictEqual(
      Object.fromEntries(Object.entries(Operations.writes).map(([name, row]) => [name, row.opCode])),
      { create: 1, create2: 15, createContainer: 19, createTTL: 21, delete: 2, setData: 5, check: 13 }
    )
    assert.deepStrictEqual(
      Object.fromEntries(Object.entries(Operations.reads).map(([name, row]) => [name, row.opCode])),
      { getData: 4, getChildren: 8 }
    )
    for (const [name, row] of Object.entries({ ...Operations.writes, ...Operations.reads })) {
      assert.strictEqual(row.name, name)
    }
  })

  it("keeps the xids of servers and sessions apart from those of applications", () => {
    assert.deepStrictEqual(Operations.Xid, { notification: -1, ping: -2, auth: -4, setWatches: -8 })
  })
})
