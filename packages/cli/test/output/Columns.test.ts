/** Tables in windows of several widths. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { tableOf } from "../../src/internal/output/columns.ts"

const columns = [
  { name: "item", title: "ITEM" },
  { name: "age", title: "AGE" },
  { name: "data", title: "DATA", canCut: true }
] as const

const byWorth = ["item", "data", "age"] as const

const rows = [
  { item: "first", age: "12s", data: "short" },
  { item: "second", age: "3h", data: "a text that is far too long for a window" }
]

const Cell = Schema.String.check(Schema.isPattern(/^[a-z]*$/))

describe("the columns of a table", () => {
  it("are all there where there is room, and as wide as their widest cell", () => {
    assert.strictEqual(
      tableOf(columns, byWorth, rows, Number.POSITIVE_INFINITY),
      ["ITEM    AGE  DATA\n", "first   12s  short\n", "second  3h   a text that is far too long for a window\n"].join(
        ""
      )
    )
  })

  it("are cut at the end of a cell that may be cut", () => {
    assert.strictEqual(
      tableOf(columns, byWorth, rows, 30),
      ["ITEM    AGE  DATA\n", "first   12s  short\n", "second  3h   a text that is f…\n"].join("")
    )
  })

  it("are left out, the least important first, where cutting is not enough", () => {
    assert.strictEqual(
      tableOf(columns, byWorth, rows, 26),
      ["ITEM    DATA\n", "first   short\n", "second  a text that is fa…\n"].join("")
    )
    assert.strictEqual(tableOf(columns, byWorth, rows, 12), ["ITEM\n", "first\n", "second\n"].join(""))
  })

  it("have no line for titles where all are empty", () => {
    const untitled = columns.map((column) => ({ ...column, title: "" }))
    assert.strictEqual(tableOf(untitled, byWorth, rows.slice(0, 1), 80), "first  12s  short\n")
  })

  it.prop(
    "are never wider than the window, unless the first of them is",
    {
      rows: Schema.Array(Schema.Struct({ item: Cell, age: Cell, data: Cell })),
      width: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 }))
    },
    ({ rows, width }) => {
      const first = Math.max(4, ...rows.map(({ item }) => item.length))
      for (const line of tableOf(columns, byWorth, rows, width).split("\n")) {
        assert.isAtMost(line.length, Math.max(first, width))
      }
    }
  )
})
