/** The page of guarantees cannot rot: each sentence has its tests, and each of them is there. */
import * as TestTable from "@effect-zookeeper/test-kit/TestTable"
import { assert, describe, it } from "@effect/vitest"

const page = new URL("../GUARANTEES.md", import.meta.url)

describe("what is guaranteed", () => {
  it("has the numbers from G01 on, each once", () => {
    // A number stays with its sentence: a new sentence gets the next one, wherever it stands.
    const rows = TestTable.rows(page)
      .map(({ row }) => row)
      .toSorted()
    assert.isAbove(rows.length, 35)
    assert.deepStrictEqual(rows, TestTable.numbers("G", rows.length))
  })

  it("has tests of these titles", () => {
    assert.deepStrictEqual(TestTable.complaints(page), [])
  })
})
