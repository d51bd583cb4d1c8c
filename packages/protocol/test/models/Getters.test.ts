/** Getters that objects share. */
import { assert, describe, it } from "@effect/vitest"
import * as Getters from "../../src/Getters.ts"

const addSize = Getters.make<Set<string>, { readonly size: number }>({ size: (names) => names.size })

describe("an object with shared getters", () => {
  it("reads its members from its own source at each access", () => {
    const names = new Set(["a"])
    const one = addSize({ kind: "one" }, names)
    const other = addSize({ kind: "other" }, new Set())
    assert.deepStrictEqual([one.kind, one.size, other.kind, other.size], ["one", 1, "other", 0])
    names.add("b")
    assert.deepStrictEqual([one.size, other.size], [2, 0])
  })

  it("looks like an object whose getters are its own, and hides the source", () => {
    const object = addSize({ kind: "one" }, new Set(["a"]))
    assert.deepStrictEqual(Object.keys(object), ["kind", "size"])
    assert.deepStrictEqual({ ...object }, { kind: "one", size: 1 })
    assert.strictEqual(JSON.stringify(object), '{"kind":"one","size":1}')
    assert.deepStrictEqual(Reflect.ownKeys(object), ["kind", "size"])
  })
})
