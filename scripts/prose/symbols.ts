/**
 * Public symbols whose documentation says nothing: it is missing, or has tags alone.
 */

/** A symbol without prose, and its line. */
interface Undocumented {
  readonly line: number
  readonly name: string
}

const declaration = /^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type|namespace) ([\w$]+)/

/** The exported declarations of a module that have no sentence; an overload shares the documentation of the first. */
export const undocumentedIn = (text: string): ReadonlyArray<Undocumented> => {
  const lines = text.split("\n")
  const documented = new Set<string>()
  return lines.flatMap((line, index) => {
    const name = declaration.exec(line)?.[1]
    if (name === undefined || documented.has(name)) return []
    documented.add(name)
    return hasProse(commentAbove(lines, index)) ? [] : [{ line: index + 1, name }]
  })
}

/** The documentation that ends right above a line, "" for none. */
const commentAbove = (lines: ReadonlyArray<string>, index: number): string => {
  if (!lines[index - 1]?.trimEnd().endsWith("*/")) return ""
  const start = lines.slice(0, index).findLastIndex((line) => line.trimStart().startsWith("/**"))
  return start === -1 ? "" : lines.slice(start, index).join("\n")
}

/** Tags begin what is no prose, and an example is none either. */
const hasProse = (comment: string): boolean =>
  /[a-z]{2}/i.test(comment.replace(/^\s*\/?\*+\/?/gm, "").replace(/@[^]*/, ""))
