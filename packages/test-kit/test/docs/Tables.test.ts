/** The tables that name tests cannot rot: each row is there once, has its tests, and each of these tests is there. */
import { assert, describe, it } from "@effect/vitest"
import * as TraceabilityTable from "../../src/TraceabilityTable.ts"

const range = (letter: string, first: number, last: number): ReadonlyArray<string> =>
  TraceabilityTable.rowIds(letter, last).slice(first - 1)

/** The least number of rows where all numbers from 1 on are there, or the numbers. */
const tables: ReadonlyArray<readonly [title: string, file: string, rows: number | ReadonlyArray<string>]> = [
  // A number stays with its sentence: a new sentence gets the next one, wherever its row is.
  ["the guarantees", "client/GUARANTEES.md", 36],
  ["the faults that are tested", "session/test/README.md", 50],
  ["the security that is tested", "client/test/README.md", 28],
  [
    "the cases of other clients that concern recipes",
    "recipes/test/README.md",
    [
      ...[range("A", 1, 7), range("A", 18, 44), range("A", 60, 67), range("A", 73, 75)],
      ...[range("K", 17, 29), range("K", 36, 40), range("R", 1, 22)]
    ].flat()
  ]
]

describe.each(tables)("%s", (_title, file, expected) => {
  const table = new URL(`../../../${file}`, import.meta.url)

  it("have their numbers, each once", () => {
    const rows = TraceabilityTable.rows(table).map(({ row }) => row)
    const numbers =
      typeof expected === "number" ? TraceabilityTable.rowIds(rows[0]?.charAt(0) ?? "", rows.length) : expected
    assert.deepStrictEqual(rows.toSorted(), numbers.toSorted())
    if (typeof expected === "number") assert.isAtLeast(rows.length, expected)
  })

  it("have tests of these titles", () => {
    assert.deepStrictEqual(TraceabilityTable.problems(table), [])
  })
})
