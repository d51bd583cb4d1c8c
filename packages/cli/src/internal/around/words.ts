/**
 * A line of the prompt as words. Data such as `{"a":1}` and `C:\temp` is kept as it is typed: only at the beginning of a word
 * does a quote open a part that may have spaces, and only before a space, or before a quote or `#` at the beginning, is a
 * backslash an escape.
 */

/** The words of a line. */
export interface Words {
  readonly words: ReadonlyArray<string>
  /** The last of them, where the line ends in it: the one that is being typed, and how it is written. */
  readonly unfinished: { readonly word: string; readonly typed: string } | undefined
  /** Why the line cannot be read. */
  readonly mistake: string | undefined
}

/** Splits a line. A `#` at the beginning of a word begins a comment. */
export const split = (line: string): Words => {
  const words: Array<string> = []
  let at = 0
  while (true) {
    while (isSpace(line.charAt(at))) at++
    const start = at
    const first = line.charAt(at)
    if (first === "" || first === "#") return { words, unfinished: undefined, mistake: undefined }
    const read = first === "'" || first === '"' ? quoted(line, start) : bare(line, start)
    if (read === undefined) {
      return { words, unfinished: undefined, mistake: `the line has a quote (${first}) that is not closed` }
    }
    at = read.end
    words.push(read.word)
    if (at === line.length) {
      return { words, unfinished: { word: read.word, typed: line.slice(start) }, mistake: undefined }
    }
    if (!isSpace(line.charAt(at))) {
      // Shells would join both parts, and data would be kept in another way than they do it.
      const mistake = `the line has text right after a quoted word (${line.slice(start, at)}): put quotes around all of it`
      return { words, unfinished: undefined, mistake }
    }
  }
}

/** A word as one types it. */
export const quote = (word: string): string => {
  if (word === "" || /\\(\s|$)|^\\['"#]/.test(word)) return `"${word.replaceAll(/[\\"]/g, "\\$&")}"`
  return word.replaceAll(/\s|^['"#]/g, "\\$&")
}

// ---- internal

interface Read {
  readonly word: string
  readonly end: number
}

const isSpace = (char: string): boolean => /^\s$/.test(char)

/** Between double quotes a backslash is an escape before a double quote and before another backslash. */
const quoted = (line: string, start: number): Read | undefined => {
  const close = line.charAt(start)
  let word = ""
  for (let at = start + 1; at < line.length; at++) {
    const char = line.charAt(at)
    if (char === close) return { word, end: at + 1 }
    const isEscape = char === "\\" && close === '"' && /^["\\]$/.test(line.charAt(at + 1))
    word += isEscape ? line.charAt(++at) : char
  }
  return undefined
}

const bare = (line: string, start: number): Read => {
  let word = ""
  let at = start
  for (; at < line.length && !isSpace(line.charAt(at)); at++) {
    const next = line.charAt(at + 1)
    const isEscape = line.charAt(at) === "\\" && (isSpace(next) || (at === start && /^['"#]$/.test(next)))
    word += isEscape ? line.charAt(++at) : line.charAt(at)
  }
  return { word, end: at }
}
