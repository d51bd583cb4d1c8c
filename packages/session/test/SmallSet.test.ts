import { assert, describe, it } from "@effect/vitest"
import { elementsOf, hasElement, type SmallSet, sizeOf, withElement, withoutElement } from "../src/internal/SmallSet.ts"

const a = { name: "a" }
const b = { name: "b" }
const c = { name: "c" }

const setOf = (...elements: ReadonlyArray<object>) =>
  elements.reduce<SmallSet<object>>((set, element) => withElement(set, element), undefined)

describe("SmallSet is a set", () => {
  it("of none, one, and more, each once, in the order in which they came", () => {
    for (const [set, elements] of [
      [setOf(), []],
      [setOf(a, a), [a]],
      [setOf(a, b, a, c), [a, b, c]]
    ] as const) {
      assert.deepStrictEqual([sizeOf(set), elementsOf(set)], [elements.length, elements])
      for (const element of [a, b, c])
        assert.strictEqual(
          hasElement(set, element),
          elements.some((e) => e === element)
        )
    }
  })

  it("that is undefined again without its elements", () => {
    assert.isUndefined(withoutElement(undefined, a))
    assert.isUndefined(withoutElement(setOf(a), a))
    assert.deepStrictEqual(elementsOf(withoutElement(setOf(a), b)), [a])
    const rest = withoutElement(withoutElement(setOf(a, b), a), a)
    assert.deepStrictEqual(elementsOf(rest), [b])
    assert.isUndefined(withoutElement(rest, b))
  })

  it("whose elements may be added to while they are looked at", () => {
    const set = setOf(a, b)
    const seen: Array<object> = []
    for (const element of elementsOf(set)) {
      seen.push(element)
      withElement(set, c)
    }
    assert.deepStrictEqual(seen, [a, b])
  })
})
