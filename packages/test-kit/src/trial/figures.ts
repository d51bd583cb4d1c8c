/** Figures of a trial as tables, for people. */

/** Columns one below the other: the first to the left, the others to the right. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)))
  return [head, ...rows]
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  ")
    )
    .join("\n")
}

/** A row: how many times there are, their median, and the longest, in seconds. */
export const spread = (name: string, millis: ReadonlyArray<number>): ReadonlyArray<string> => {
  const sorted = millis.toSorted((a, b) => a - b)
  return [name, String(sorted.length), seconds(sorted[sorted.length >> 1]), seconds(sorted.at(-1))]
}

/** The head of a table of such rows. */
export const spreadHead = (name: string) => [name, "times", "median, s", "longest, s"]

// ---- internal

const seconds = (millis: number | undefined): string => (millis === undefined ? "-" : (millis / 1000).toFixed(1))
