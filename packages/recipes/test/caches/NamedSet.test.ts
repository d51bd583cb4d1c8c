import { choices } from "@effect-zookeeper/test-kit/fuzz/Mutation"
import { assert, describe, it } from "@effect/vitest"
import { NamedSet } from "../../src/internal/caches/NamedSet.ts"
import { numbersBelow } from "../support/targets.ts"

interface Element {
  readonly name: string
  readonly value: number
}

/** The hashes of each pair are the same. */
const alike = ["878114737939", "158068982235", "867024130237", "796207377647", "583192969069", "815734696684"]

const assertHolds = (set: NamedSet<Element>, expected: ReadonlyMap<string, Element>, names: ReadonlyArray<string>) => {
  assert.strictEqual(set.size, expected.size)
  assert.sameMembers([...set], [...expected.values()])
  for (const name of names) assert.strictEqual(set.get(name), expected.get(name), name)
}

describe("NamedSet", () => {
  it("holds what a Map would, after any elements came and went, and those whose hashes are the same", () => {
    for (const count of [4, 40, 4000]) {
      const pick = choices(count)
      const names = [...alike, ...numbersBelow(count).map((n) => `name-${n}`)]
      const expected = new Map<string, Element>()
      let set: NamedSet<Element> = NamedSet.empty
      for (const step of numbersBelow(count * 4)) {
        const name = names[pick(names.length)]!
        if (pick(3) === 0) {
          set = set.without(name)
          expected.delete(name)
        } else {
          const element = { name, value: step }
          set = set.with(element)
          expected.set(name, element)
        }
      }
      assertHolds(set, expected, names)
      for (const name of names) set = set.without(name)
      assert.strictEqual(set, NamedSet.empty)
    }
  })

  it("leaves the set before a change as it was", () => {
    const elements = [...alike, ""].map((name, value) => ({ name, value }))
    let set: NamedSet<Element> = NamedSet.empty
    const states = elements.map((element) => (set = set.with(element)))
    for (const { name } of elements) set = set.without(name).with({ name, value: -1 })
    for (const [index, state] of states.entries()) {
      const there = elements.slice(0, index + 1)
      assertHolds(state, new Map(there.map((element) => [element.name, element])), [...alike, "", "other"])
    }
    assert.strictEqual(set.without("other"), set)
  })
})
