/** Tables for the width of a window: the least important columns are left out where there is no room for all. */
import { table } from "./text.ts"

export interface Column<Name extends string> {
  readonly name: Name
  /** Empty where a table has no titles. */
  readonly title: string
  /** Whether long cells may be cut at their end. One column at most. */
  readonly canCut?: true
}

export type Cells<Name extends string> = Readonly<Record<Name, string>>

/** The columns for which there is room, below their titles. `byWorth` has the names of the most important ones first. */
export const tableOf = <Name extends string>(
  all: ReadonlyArray<Column<Name>>,
  byWorth: ReadonlyArray<Name>,
  rows: ReadonlyArray<Cells<Name>>,
  width: number
): string => {
  const chosen = fit(all, byWorth, rows, width)
  const others = chosen.filter(({ canCut }) => canCut !== true).map((column) => widthOf(column, rows) + gap)
  const room = width - others.reduce((sum, each) => sum + each, 0)
  const lines = rows.map((cells) =>
    chosen.map(({ canCut, name }) => (canCut === true ? cut(cells[name], room) : cells[name]))
  )
  const titles = chosen.map(({ title }) => title)
  return table(titles.some((title) => title !== "") ? [titles, ...lines] : lines)
}

/** The columns for which there is room, in their order. */
export const fit = <Name extends string>(
  all: ReadonlyArray<Column<Name>>,
  byWorth: ReadonlyArray<Name>,
  rows: ReadonlyArray<Cells<Name>>,
  width: number
): ReadonlyArray<Column<Name>> => {
  let left = width
  const chosen = new Set<Name>()
  for (const name of byWorth) {
    const column = all.find((each) => each.name === name)
    if (column === undefined) continue
    const needed = widthOf(column, rows)
    left -= (column.canCut === true ? Math.min(needed, leastWidth) : needed) + (chosen.size === 0 ? 0 : gap)
    if (left < 0 && chosen.size > 0) break
    chosen.add(name)
  }
  return all.filter(({ name }) => chosen.has(name))
}

/** The width of a column with its title. */
export const widthOf = <Name extends string>({ name, title }: Column<Name>, rows: ReadonlyArray<Cells<Name>>): number =>
  Math.max(title.length, ...rows.map((cells) => cells[name].length))

// ---- internal

/** The space between two columns. */
const gap = 2

/** The characters of a cell that are left at least when it is cut. */
const leastWidth = 16

const cut = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`
