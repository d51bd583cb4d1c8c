/** The kinds of data, by the bytes of a znode, and their forms for a person. */

export type Kind = "empty" | "json" | "text" | "gzip" | "binary"

/** Decides by the bytes alone. Text is valid UTF-8 without control characters, apart from tabs and ends of lines. */
export const kindOf = (bytes: Uint8Array): Kind => {
  if (bytes.length === 0) return "empty"
  if (isGzip(bytes)) return "gzip"
  const text = textOf(bytes)
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (text === undefined || /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f]/.test(text)) return "binary"
  return /^\s*[[{]/.test(text) && jsonProblem(text) === undefined ? "json" : "text"
}

export const isGzip = (bytes: Uint8Array): boolean => bytes.length > 17 && bytes[0] === 0x1f && bytes[1] === 0x8b

/** The bytes as UTF-8; undefined where they are something else. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/**
 * What ends the lines of texts that one edits and compares: CR LF where nothing else does in any of them. Where both occur it is
 * LF, and each CR is a character of its line, so that no end is changed by an edit elsewhere.
 */
export const lineEnd = (...texts: ReadonlyArray<string>): "\n" | "\r\n" =>
  texts.some((text) => text.includes("\r\n")) && !texts.some((text) => /(^|[^\r])\n|\r(?!\n)/.test(text))
    ? "\r\n"
    : "\n"

/** Why a text is not JSON, in the words of the browser. */
export const jsonProblem = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** JSON on several lines; undefined if it cannot be laid out without changing a number. */
export const layOut = (text: string): string | undefined => {
  try {
    const parsed: unknown = JSON.parse(text)
    const again = JSON.stringify(parsed, undefined, 2)
    return withoutSpace(text) === withoutSpace(again) ? again : undefined
  } catch {
    return undefined
  }
}

/** White space outside of strings removed, to see whether two texts have the same values, digit by digit. */
const withoutSpace = (text: string): string => text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, "$1")

export interface HexRow {
  readonly offset: string
  readonly hex: string
  readonly text: string
}

export const bytesPerRow = 16

/** One row of a dump: `00000010  7b 22 61 …  {"a…`. */
export const hexRow = (bytes: Uint8Array, row: number): HexRow => {
  const part = bytes.subarray(row * bytesPerRow, (row + 1) * bytesPerRow)
  const pairs = Array.from(part, (byte) => byte.toString(16).padStart(2, "0"))
  return {
    offset: (row * bytesPerRow).toString(16).padStart(8, "0"),
    hex: [pairs.slice(0, 8).join(" "), pairs.slice(8).join(" ")].join("  "),
    text: Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("")
  }
}

export type Unpacked =
  | { readonly _tag: "Unpacked"; readonly bytes: Uint8Array }
  | { readonly _tag: "TooLarge"; readonly limit: number }
  | { readonly _tag: "Broken" }

/** Decompresses gzip, up to a limit: a small znode can unpack to gigabytes. */
export const unpack = async (packed: Uint8Array<ArrayBuffer>, limit = 16 * 1024 * 1024): Promise<Unpacked> => {
  const chunks: Array<Uint8Array> = []
  let length = 0
  try {
    const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader()
    // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length
      if (length > limit) {
        // oxlint-disable-next-line no-await-in-loop -- the loop ends here
        await reader.cancel()
        return { _tag: "TooLarge", limit }
      }
      chunks.push(next.value)
    }
  } catch {
    return { _tag: "Broken" }
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return { _tag: "Unpacked", bytes }
}

/** `1,024 bytes`, `1.5 MB`: with as many digits as one reads. */
export const size = (bytes: number): string => {
  if (bytes === 1) return "1 byte"
  if (bytes < 10_000) return `${bytes.toLocaleString("en")} bytes`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`
}
