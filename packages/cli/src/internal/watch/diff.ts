/** The lines in which two texts differ. */

/** A line of the text before that has gone, or of the text after that has come. */
export interface ChangedLine {
  readonly sign: "-" | "+"
  readonly line: string
}

/** The fewest lines to take out and to put in, in the order of the texts. Texts that differ much are replaced as a whole. */
export const diffLines = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlyArray<ChangedLine> => {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++
  return diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end))
}

// ---- internal

/** The most comparisons of two lines. */
const maxWork = 1_000_000

const diffMiddle = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlyArray<ChangedLine> => {
  if (before.length * after.length > maxWork) return [...before.map(toGone), ...after.map(toCome)]
  const common = commonLengths(before, after)
  const changed: Array<ChangedLine> = []
  let old = 0
  let now = 0
  while (old < before.length && now < after.length) {
    if (before[old] === after[now]) {
      old++
      now++
    } else if (common(old + 1, now) >= common(old, now + 1)) changed.push(toGone(before[old++] ?? ""))
    else changed.push(toCome(after[now++] ?? ""))
  }
  return [...changed, ...before.slice(old).map(toGone), ...after.slice(now).map(toCome)]
}

const toGone = (line: string): ChangedLine => ({ sign: "-", line })
const toCome = (line: string): ChangedLine => ({ sign: "+", line })

/** How many lines the rests of both texts have in common, from a line of each on. */
const commonLengths = (before: ReadonlyArray<string>, after: ReadonlyArray<string>) => {
  const width = after.length + 1
  const lengths = new Uint32Array((before.length + 1) * width)
  const at = (old: number, now: number): number => lengths[old * width + now] ?? 0
  for (let old = before.length - 1; old >= 0; old--) {
    for (let now = after.length - 1; now >= 0; now--) {
      lengths[old * width + now] =
        before[old] === after[now] ? at(old + 1, now + 1) + 1 : Math.max(at(old + 1, now), at(old, now + 1))
    }
  }
  return at
}
