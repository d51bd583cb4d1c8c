/** The table of what is tested of security cannot rot: each row has its tests, and each of them is there. */
import * as TestTable from "@effect-zookeeper/test-kit/TestTable"
import { assert, describe, it } from "@effect/vitest"

const table = new URL("README.md", import.meta.url)

describe("what is tested of security", () => {
  it("is S01 to S28, each once", () => {
    assert.deepStrictEqual(
      TestTable.rows(table).map(({ row }) => row),
      TestTable.numbers("S", 28)
    )
  })

  it("has tests of these titles", () => {
    assert.deepStrictEqual(TestTable.complaints(table), [])
  })
})
