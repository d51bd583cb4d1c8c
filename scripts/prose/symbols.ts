/**
 * Public symbols that lack documentation: prose, or the example of a constructor or layer.
 */

import { blank } from "./extract.ts"

/** A symbol and its line. */
export interface Undocumented {
  readonly line: number
  readonly name: string
}

const declaration = /^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type|namespace) ([\w$]+)/

/** The exported declarations of a module that have no sentence. */
export const undocumentedIn = (text: string): ReadonlyArray<Undocumented> =>
  declarationsIn(text).filter(({ comment }) => !hasProse(comment))

/** The constructors and layers of a module that have no `@example`. */
export const withoutExampleIn = (text: string): ReadonlyArray<Undocumented> =>
  declarationsIn(text).filter(
    ({ comment }) => /@category (?:constructors|layers)\b/.test(comment) && !/@example\b[^]*```ts\n/.test(comment)
  )

/** The blocks of code in doc comments that are no part of an `@example`, and so are not compiled. */
export const notCompiledIn = (text: string): ReadonlyArray<Undocumented> =>
  Array.from(text.matchAll(/^ *\/\*\*[^]*?\*\//gm)).flatMap((comment) =>
    Array.from(comment[0].replace(/@example\b[^]*?(?=\n *\* @|\*\/)/g, blank).matchAll(/```ts\b/g), (fence) => ({
      line: text.slice(0, comment.index + fence.index).split("\n").length,
      name: "```ts"
    }))
  )

interface Declaration extends Undocumented {
  readonly comment: string
}

/** The exported declarations; an overload shares the documentation of the first. */
const declarationsIn = (text: string): ReadonlyArray<Declaration> => {
  const lines = text.split("\n")
  const found = new Set<string>()
  return lines.flatMap((line, index) => {
    const name = declaration.exec(line)?.[1]
    if (name === undefined || found.has(name)) return []
    found.add(name)
    return [{ line: index + 1, name, comment: commentAbove(lines, index) }]
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
