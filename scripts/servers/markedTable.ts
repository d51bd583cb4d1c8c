/** A table of Markdown between two comments of a page: a run replaces the rows that it has, and keeps the others. */
import * as Fs from "node:fs"

export interface MarkedTable {
  readonly page: string
  /** The table is between `<!-- name: written by command -->` and `<!-- /name -->`. */
  readonly name: string
  readonly command: string
  readonly columns: ReadonlyArray<string>
  /** How many cells from the left tell a row from all others. */
  readonly keys: number
}

/** A row of Markdown. */
export const formatCells = (texts: ReadonlyArray<string>): string =>
  `| ${texts.map((text) => text.replaceAll("\n", " ").replaceAll("|", "\\|")).join(" | ")} |`

/** Puts rows into the table, each in the place of the one with its keys; rows whose keys are not in `order` go. */
export const replaceRows = (
  table: MarkedTable,
  rows: ReadonlyArray<string>,
  order: ReadonlyArray<ReadonlyArray<string>>
): void => {
  const { columns, command, keys, name, page } = table
  const text = Fs.readFileSync(page, "utf8")
  const begin = `<!-- ${name}: written by ${command} -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(`<!-- /${name} -->`, from)
  if (from === -1 || to === -1) throw new Error(`${page} has no place for the table ${name}`)
  const keyOf = (row: string) => keyOfCells(row.split("|").slice(1, keys + 1))
  const former = text.slice(from, to).split("\n")
  const byKey = new Map([...former.filter((line) => line.startsWith("|")), ...rows].map((row) => [keyOf(row), row]))
  const lines = order.flatMap((cells) => byKey.get(keyOfCells(cells)) ?? [])
  const rule = `|${"---|".repeat(columns.length)}`
  const written = [begin, "", formatCells(columns), rule, ...lines, "", ""].join("\n")
  Fs.writeFileSync(page, `${text.slice(0, from)}${written}${text.slice(to)}`)
}

// ---- internal

const keyOfCells = (cells: ReadonlyArray<string>): string => JSON.stringify(cells.map((cell) => cell.trim()))
