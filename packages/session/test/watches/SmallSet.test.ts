import { assert, describe, it } from "@effect/vitest"
import { SmallSet } from "../../src/internal/watches/SmallSet.ts"

const a = { name: "a" }
const b = { name: "b" }
const c = { name: "c" }

describe("SmallSet is a set", () => {
  it("of none, one, and more, each once, in the order in which they came", () => {
    const few = new SmallSet<object>()
    assert.deepStrictEqual([few.size, [...few]], [0, []])
    few.add(a)
    few.add(a)
    assert.deepStrictEqual([few.size, [...few]], [1, [a]])
    few.add(b)
    few.add(a)
    few.add(c)
    assert.deepStrictEqual([few.size, [...few]], [3, [a, b, c]])
  })

  it("that says whether a deleted element was there", () => {
    const few = new SmallSet<object>()
    assert.isFalse(few.delete(a))
    few.add(a)
    assert.isFalse(few.delete(b))
    assert.isTrue(few.delete(a))
    few.add(a)
    few.add(b)
    assert.isTrue(few.delete(a))
    assert.isFalse(few.delete(a))
    assert.isTrue(few.delete(b))
    assert.strictEqual(few.size, 0)
    few.add(c)
    assert.deepStrictEqual(few.all(), [c])
    few.clear()
    assert.deepStrictEqual([few.size, few.all()], [0, []])
  })

  it("whose elements may be added to while they are looked at", () => {
    const few = new SmallSet<object>()
    few.add(a)
    few.add(b)
    const seen: Array<object> = []
    for (const element of few) {
      seen.push(element)
      few.add(c)
    }
    assert.deepStrictEqual(seen, [a, b])
  })
})
