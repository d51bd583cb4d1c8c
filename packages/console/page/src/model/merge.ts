import { diff3Merge } from "node-diff3"

/**
 * Both changes of a text in one, where they touch different lines; undefined where they touch the same ones, and a person has
 * to decide.
 */
export const mergeBoth = (base: string, theirs: string, mine: string): string | undefined => {
  const parts = diff3Merge(lines(mine), lines(base), lines(theirs), { excludeFalseConflicts: true })
  const merged: Array<string> = []
  for (const part of parts) {
    if (part.ok === undefined) return undefined
    merged.push(...part.ok)
  }
  return merged.join("")
}

/** Each line with its end. */
const lines = (text: string): Array<string> => text.match(/[^\n]*\n|[^\n]+$/g) ?? []
