/** The table of the faults that are tested cannot rot: each row has its tests, and each of them is there. */
import * as TestTable from "@effect-zookeeper/test-kit/TestTable"
import { assert, describe, it } from "@effect/vitest"

const table = new URL("README.md", import.meta.url)

describe("the faults that are tested", () => {
  it("are F01 to F50, each once", () => {
    assert.deepStrictEqual(
      TestTable.rows(table).map(({ row }) => row),
      TestTable.numbers("F", 50)
    )
  })

  it("have tests of these titles", () => {
    assert.deepStrictEqual(TestTable.complaints(table), [])
  })
})
