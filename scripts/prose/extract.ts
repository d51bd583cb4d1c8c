/**
 * The prose of a file: for markdown all but code, for TypeScript its comments and strings.
 */

/** A piece of prose on one line, and which line that is. */
interface Prose {
  readonly line: number
  readonly text: string
}

/** The prose of a file, by its name. */
export const proseOf = (file: string, text: string): ReadonlyArray<Prose> =>
  numbered(file.endsWith(".md") ? withoutCode(text) : commentsAndStrings(text)).filter(({ text }) =>
    /[a-z]/i.test(text)
  )

const numbered = (text: string): ReadonlyArray<Prose> =>
  text
    .split("\n")
    .map((line, index) => ({ line: index + 1, text: line.replace(/^\s*(?:[-*>|#]+ |\d+\. )?/, "").trim() }))

/** Lines stay where they are. */
export const blank = (text: string): string => text.replace(/[^\n]/g, " ")

const withoutCode = (text: string): string => text.replace(/^(`{3,})[^]*?^\1$/gm, blank).replace(/`[^`\n]*`/g, "`code`")

/** Code becomes blanks, and so does code within comments. */
const commentsAndStrings = (text: string): string => {
  let prose = ""
  let from = 0
  for (const { 0: token, index } of text.matchAll(tokens)) {
    prose += blank(text.slice(from, index)) + (token.startsWith("/") ? comment(token) : string(token))
    from = index + token.length
  }
  return prose + blank(text.slice(from))
}

/** Strings and comments. */
export const tokens = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[^]*?\*\/|\/\/[^\n]*/g

const comment = (token: string): string =>
  withoutCode(token.replace(/^\/\*\*?|\*\/$|^\/\//g, "  ").replace(/^\s*\* ?/gm, (start) => blank(start)))

/** Only what has blanks in it is a sentence. */
const string = (token: string): string =>
  / /.test(token) ? ` ${token.slice(1, -1).replace(/\$\{[^}\n]*\}/g, "…")} ` : blank(token)
