/** A line of the prompt as words: quotes and backslashes as in a shell, and nothing else of one. */

/** The words of a line. */
export interface Words {
  readonly words: ReadonlyArray<string>
  /** The last of them, where the line ends in it: the one that is being typed. */
  readonly unfinished: string | undefined
  /** The quote that is not closed. */
  readonly open: string | undefined
}

/** Splits a line. A `#` at the beginning of a word begins a comment. */
export const split = (line: string): Words => {
  const words: Array<string> = []
  let word: string | undefined
  let quote: string | undefined
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at)
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (quote === undefined && word === undefined && char === "#") {
      return { words, unfinished: undefined, open: undefined }
    } else if (char === "\\" && quote !== "'" && at + 1 < line.length) {
      word = (word ?? "") + line.charAt(++at)
    } else if (char === quote) {
      quote = undefined
    } else if (quote === undefined && (char === "'" || char === '"')) {
      quote = char
      word ??= ""
    } else {
      word = (word ?? "") + char
    }
  }
  if (word !== undefined) words.push(word)
  return { words, unfinished: word, open: quote }
}

/** A word as one types it. */
export const quote = (word: string): string => word.replaceAll(/[\s\\'"#]/g, "\\$&")
