/** The tables of what is mirrored cannot rot: each row has its tests, and each of them is there. */
import * as TestTable from "@effect-zookeeper/test-kit/TestTable"
import { assert, describe, it } from "@effect/vitest"

const table = new URL("README.md", import.meta.url)

const from = (first: number, last: number): ReadonlyArray<number> =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

const numbered = (letter: string, numbers: ReadonlyArray<number>): ReadonlyArray<string> =>
  numbers.map((number) => `${letter}${String(number).padStart(2, "0")}`)

describe("what is mirrored", () => {
  it("is all that concerns recipes, each once", () => {
    assert.deepStrictEqual(
      TestTable.rows(table).map(({ row }) => row),
      [
        ...numbered("A", [...from(1, 7), ...from(18, 44), ...from(60, 67), ...from(73, 75)]),
        ...numbered("K", [...from(17, 29), ...from(36, 40)]),
        ...numbered("R", from(1, 22))
      ]
    )
  })

  it("has tests of these titles", () => {
    assert.deepStrictEqual(TestTable.complaints(table), [])
  })
})
