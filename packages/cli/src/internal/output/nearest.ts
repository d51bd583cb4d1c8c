/** The known word that was probably meant by an unknown one. */

/** Undefined if none is near: two letters may be wrong, but fewer than half. Dashes and the case do not count. */
export const nearest = (word: string, known: ReadonlyArray<string>): string | undefined => {
  const [best] = known
    .map((candidate) => ({ candidate, changes: changesBetween(plain(word), plain(candidate)) }))
    .filter(({ candidate, changes }) => changes <= 2 && changes * 2 < candidate.length)
    .toSorted((a, b) => a.changes - b.changes)
  return best?.candidate
}

/** How many letters are to be put in, left out or replaced; two that have changed places are one change. */
export const changesBetween = (a: string, b: string): number => {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const at = (up: number, left: number) => (up === 0 ? row : rows[i - up])?.[j - left] ?? 0
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = isSwap ? at(2, 2) + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(at(1, 0) + 1, at(0, 1) + 1, at(1, 1) + (a[i - 1] === b[j - 1] ? 0 : 1), swap))
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 0
}

// ---- internal

const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_]/g, "")
