/** The table of the faults that are tested cannot rot: each row has its tests, and each of them is there. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"

const table = new URL("README.md", import.meta.url)

interface Named {
  readonly file: string
  readonly title: string
}

const rows = Fs.readFileSync(table, "utf8")
  .split("\n")
  .flatMap((line) => {
    const row = /^\| (F\d\d) +\|/.exec(line)?.[1]
    if (row === undefined) return []
    const tests = Array.from(line.matchAll(/\[\w+\]\(([^)]+)\) "([^"]+)"/g), ([, file = "", title = ""]): Named => ({
      file,
      title
    }))
    return [{ row, tests }]
  })

describe("the faults that are tested", () => {
  it("are F01 to F48, each once and none without a test", () => {
    assert.deepStrictEqual(
      rows.map(({ row }) => row),
      Array.from({ length: 48 }, (_, index) => `F${String(index + 1).padStart(2, "0")}`)
    )
    assert.deepStrictEqual(
      rows.filter(({ tests }) => tests.length === 0),
      []
    )
  })

  it("have tests of these titles", () => {
    const missing = rows.flatMap(({ row, tests }) =>
      tests.filter((test) => !isThere(test)).map(({ file, title }) => `${row}: ${file} has no title with "${title}"`)
    )
    assert.deepStrictEqual(missing, [])
  })
})

/** Whether a title of the file, in quotes or backticks, has the text; the names of cases in a table are titles too. */
const isThere = ({ file, title }: Named): boolean => {
  const path = new URL(file, table)
  return (
    Fs.existsSync(path) &&
    Fs.readFileSync(path, "utf8")
      .split("\n")
      .some((line) => new RegExp(`^\\s*(?!//|\\*).*["\`].*${escape(title)}`).test(line))
  )
}

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
