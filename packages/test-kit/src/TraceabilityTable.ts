/**
 * Tables in READMEs that say which tests hold which sentence, and whether these tests are there.
 *
 * A row begins with its number, `F01` or `S01`, and names a test by its file and a part of its title:
 * `[Faults](Connection.faults.test.ts) "a huge length"`.
 */
import { escape } from "effect/RegExp"
import * as Fs from "node:fs"

interface Row {
  readonly row: string
  readonly tests: ReadonlyArray<TestReference>
}

interface TestReference {
  /** Relative to the table. */
  readonly file: string
  /** A part of it. */
  readonly title: string
}

/** The rows of a table, in order. */
export const rows = (table: URL): ReadonlyArray<Row> =>
  Fs.readFileSync(table, "utf8")
    .split("\n")
    .flatMap((line) => {
      const row = /^\| ([A-Z]\d\d) +\|/.exec(line)?.[1]
      if (row === undefined) return []
      const tests = Array.from(
        line.matchAll(/\[[\w.]+\]\(([^)]+)\) "([^"]+)"/g),
        ([, file = "", title = ""]): TestReference => ({
          file,
          title
        })
      )
      return [{ row, tests }]
    })

/** The numbers of a table that has `count` rows, none left out. */
export const rowIds = (letter: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, "0")}`)

/** Problems of a table, in sentences: rows without a test, and tests that are not there. */
export const problems = (table: URL): ReadonlyArray<string> =>
  rows(table).flatMap(({ row, tests }) => {
    if (tests.length === 0) return [`${row} has no test`]
    return tests
      .filter((test) => !exists(table, test))
      .map(({ file, title }) => `${row}: ${file} has no title with "${title}"`)
  })

/** Whether a title of the file, in quotes or backticks, has the text; the names of cases in a table are titles too. */
const exists = (table: URL, { file, title }: TestReference): boolean => {
  const path = new URL(file, table)
  return (
    Fs.existsSync(path) &&
    Fs.readFileSync(path, "utf8")
      .split("\n")
      .some((line) => new RegExp(`^(?!\\s*(?://|\\*)).*["\`].*${escape(title)}`).test(line))
  )
}
