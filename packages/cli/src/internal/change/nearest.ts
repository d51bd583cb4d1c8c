/** The known word that somebody may have meant. */

/** The word with the fewest letters to change, at most two and fewer than half of them; undefined if there is none. */
export const nearest = (word: string, known: ReadonlyArray<string>): string | undefined => {
  const [first] = known
    .map((candidate) => ({ candidate, changes: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, changes }) => changes <= 2 && changes * 2 < candidate.length)
    .toSorted((a, b) => a.changes - b.changes)
  return first?.candidate
}

// ---- internal

/** Levenshtein's: how many letters are to be inserted, deleted or replaced. Words far too long are not measured. */
const distance = (a: string, b: string): number => {
  if (Math.abs(a.length - b.length) > 2) return Infinity
  let above = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced))
    }
    above = current
  }
  return above[b.length] ?? Infinity
}
