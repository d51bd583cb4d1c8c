/** The page of guarantees cannot rot: each sentence has its tests, and each of them is there. */
import * as TestTable from "@effect-zookeeper/test-kit/TestTable"
import { assert, describe, it } from "@effect/vitest"

const page = new URL("../GUARANTEES.md", import.meta.url)

describe("what is guaranteed", () => {
  it("is G01 to G36, each once", () => {
    assert.deepStrictEqual(
      TestTable.rows(page).map(({ row }) => row),
      TestTable.numbers("G", 36)
    )
  })

  it("has tests of these titles", () => {
    assert.deepStrictEqual(TestTable.complaints(page), [])
  })
})
