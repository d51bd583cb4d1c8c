import { diff3Merge } from "node-diff3"
import { jsonProblem } from "./data.ts"

/**
 * Both changes of a text in one, where they touch different lines, or different values of JSON; undefined where they touch the
 * same ones, and a person has to decide.
 */
export const mergeBoth = (base: string, theirs: string, mine: string): string | undefined =>
  mergeParts(lines, base, theirs, mine) ?? mergeJson(base, theirs, mine)

/** Flags are often JSON on one line. The merged text must be JSON again. */
const mergeJson = (base: string, theirs: string, mine: string): string | undefined => {
  if (base.length > mostCharacters || [base, theirs, mine].some((text) => jsonProblem(text) !== undefined)) {
    return undefined
  }
  const merged = mergeParts(tokens, base, theirs, mine)
  return merged === undefined || jsonProblem(merged) !== undefined ? undefined : merged
}

/** It is done again with each key that is typed. */
const mostCharacters = 20_000

const mergeParts = (
  split: (text: string) => Array<string>,
  base: string,
  theirs: string,
  mine: string
): string | undefined => {
  const parts = diff3Merge(split(mine), split(base), split(theirs), { excludeFalseConflicts: true })
  const merged: Array<string> = []
  for (const part of parts) {
    if (part.ok === undefined) return undefined
    merged.push(...part.ok)
  }
  return merged.join("")
}

/** Each line with its end. */
const lines = (text: string): Array<string> => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

/** The strings, numbers, words, brackets and white space of JSON. */
const tokens = (text: string): Array<string> => text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|\s+|[^\s{}[\],:"]+/g) ?? []
