/** The data of znodes, in JSON and in lines for people. */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as ZnodeData from "../../ZnodeData.ts"
import { escapeText } from "./text.ts"

/** The fields of JSON: text where the bytes are UTF-8. */
export const encodeData = (data: Uint8Array) => {
  const text = ZnodeData.decodeUtf8(data)
  return text === undefined
    ? { encoding: "base64" as const, data: Base64.encode(data) }
    : { encoding: "utf8" as const, data: text }
}

/** The data as text that cannot act on the terminal: gzip is uncompressed, and other bytes are in hex. */
export const readable = (data: Uint8Array): Effect.Effect<string> =>
  ZnodeData.render(data, "auto").pipe(
    // What begins as gzip does may be something else.
    Effect.orElseSucceed(() => ZnodeData.hexDump(data)),
    Effect.map((text) => escapeText(typeof text === "string" ? text : ""))
  )

/** The lines of a text, without the end of the last one. */
export const linesOf = (text: string): ReadonlyArray<string> =>
  text === "" ? [] : (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n")

/** Lines with an indent; those that are too many are counted. */
export const block = (lines: ReadonlyArray<string>, indent: string): string => {
  const shown = lines.slice(0, maxLines).map((line) => `${indent}${cut(line)}\n`)
  const rest = lines.length - shown.length
  return rest === 0 ? shown.join("") : `${shown.join("")}${indent}… ${rest} more ${rest === 1 ? "line" : "lines"}\n`
}

/** The beginning of a line that is too long. */
export const cut = (line: string): string =>
  line.length <= maxLength ? line : `${line.slice(0, maxLength)}… ${line.length - maxLength} more characters`

// ---- internal

const maxLines = 40
const maxLength = 2000
