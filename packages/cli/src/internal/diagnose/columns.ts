/** A table whose least important columns are left out where there is no room for all. */

export interface Column<Name extends string> {
  readonly name: Name
  readonly title: string
}

export type Cells<Name extends string> = Readonly<Record<Name, string>>

/** The columns for which there is room, in their order. `byWorth` has the names of the most important ones first. */
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
    left -= widthOf(column, rows) + (chosen.size === 0 ? 0 : 2)
    if (left < 0 && chosen.size > 0) break
    chosen.add(name)
  }
  return all.filter(({ name }) => chosen.has(name))
}

/** The width of a column with its title. */
export const widthOf = <Name extends string>({ name, title }: Column<Name>, rows: ReadonlyArray<Cells<Name>>): number =>
  Math.max(title.length, ...rows.map((cells) => cells[name].length))
