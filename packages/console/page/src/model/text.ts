/** Foreign text in pieces: what may be shown as it is, and escapes for characters that would act instead of being read. */
import * as Printable from "@effect-zookeeper/client/Printable"

export interface Piece {
  readonly text: string
  readonly isEscape: boolean
}

/** Pieces that together show the whole text. An emoji that is joined from several stays whole. */
export const pieces = (text: string): ReadonlyArray<Piece> => {
  if (Printable.escapeAll(text) === text) return [{ text, isEscape: false }]
  const found: Array<Piece> = []
  let start = 0
  for (const { 0: joined, index } of text.matchAll(joinedEmoji)) {
    pushEscaped(found, text.slice(start, index))
    pushPlain(found, joined)
    start = index + joined.length
  }
  pushEscaped(found, text.slice(start))
  return found
}

/** One line of text for a title or a label, where no element can be. */
export const line = (text: string): string =>
  pieces(text)
    .map(({ text }) => text)
    .join("")

/** Whether two texts look alike to a person who types a name to confirm: white space around it does not matter. */
export const isTyped = (typed: string, name: string): boolean => typed.trim() === line(name).trim()

/** `1 item`, `1,284 items`. */
export const counted = (count: number, word: string): string =>
  `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`

const joinedEmoji =
  /\p{Extended_Pictographic}[\u{fe0f}\p{Emoji_Modifier}]*(\u{200d}\p{Extended_Pictographic}[\u{fe0f}\p{Emoji_Modifier}]*)+/gu

const pushEscaped = (found: Array<Piece>, text: string): void => {
  for (const char of text) {
    const escaped = Printable.escapeAll(char)
    if (escaped === char) pushPlain(found, char)
    else found.push({ text: escaped, isEscape: true })
  }
}

const pushPlain = (found: Array<Piece>, text: string): void => {
  const last = found.at(-1)
  if (last === undefined || last.isEscape) found.push({ text, isEscape: false })
  else found[found.length - 1] = { text: last.text + text, isEscape: false }
}
