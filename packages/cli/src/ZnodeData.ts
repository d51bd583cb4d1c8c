/**
 * The data of a znode as text for people: what kind of bytes they are, and the bytes as text, JSON, hex or base64.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Base64 from "effect/encoding/Base64"

/**
 * The kind of some bytes: nothing, UTF-8 without control characters other than tab and line feed, gzip, or other bytes.
 *
 * @category kinds
 * @since 0.1.0
 */
export type Kind = "empty" | "text" | "gzip" | "binary"

/**
 * The forms in which data can be shown. `raw` is the bytes as they are; `auto` depends on the {@link Kind}: text as it
 * is, gzip uncompressed, and other bytes as hex.
 *
 * @category models
 * @since 0.1.0
 */
export type Format = (typeof formats)[number]

/**
 * The names of all formats.
 *
 * @category models
 * @since 0.1.0
 */
export const formats = ["auto", "raw", "text", "json", "hex", "base64"] as const

/**
 * The data cannot be shown in the format.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadData extends ErrorClass.make(
  Schema.TaggedError<BadData>()("BadData", {
    /** The form that the bytes do not have. */
    message: Schema.String
  })
) {}

/**
 * The kind of some bytes.
 *
 * @example
 * ```ts
 * import * as ZnodeData from "@effect-zookeeper/cli/ZnodeData"
 *
 * ZnodeData.kindOf(new Uint8Array([0x1f, 0x8b, 8, 0])) // "gzip"
 * ```
 *
 * @category kinds
 * @since 0.1.0
 */
export const kindOf = (data: Uint8Array): Kind => {
  if (data.length === 0) return "empty"
  if (isGzip(data)) return "gzip"
  const text = decodeUtf8(data)
  return text === undefined || acting.test(text) ? "binary" : "text"
}

/**
 * Whether the bytes begin as gzip does.
 *
 * @category kinds
 * @since 0.1.0
 */
export const isGzip = (data: Uint8Array): boolean => data[0] === 0x1f && data[1] === 0x8b && data[2] === 8

/**
 * The bytes as UTF-8, or undefined where they are not UTF-8.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decodeUtf8 = (data: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    return undefined
  }
}

/**
 * Uncompresses gzip. At most `limit` bytes come out (default 64 MiB), so that a small znode cannot fill the memory.
 *
 * It fails with `BadData` where the bytes are not gzip, or would be larger.
 *
 * @category conversions
 * @since 0.1.0
 */
export const gunzip = (data: Uint8Array, limit = 64 * 1024 * 1024): Effect.Effect<Uint8Array, BadData> =>
  Effect.tryPromise({
    try: async () => {
      const { gunzipSync } = await import("node:zlib")
      return new Uint8Array(gunzipSync(data, { maxOutputLength: limit }))
    },
    catch: (cause) =>
      new BadData({
        message: `the data cannot be uncompressed (${cause instanceof Error ? cause.message : String(cause)}); --as raw gives it as it is`
      })
  })

/**
 * Data in a format, for people: it ends with a line feed unless it is empty or `raw`.
 *
 * It fails with `BadData` where the data has no such form: `text` that is not UTF-8, `json` that is not JSON.
 *
 * @example
 * ```ts
 * import * as ZnodeData from "@effect-zookeeper/cli/ZnodeData"
 *
 * export const shown = ZnodeData.render(new TextEncoder().encode('{"a":1}'), "json")
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const render = (data: Uint8Array, format: Format): Effect.Effect<string | Uint8Array, BadData> => {
  switch (format) {
    case "raw":
      return Effect.succeed(data)
    case "hex":
      return Effect.succeed(hexDump(data))
    case "base64":
      return Effect.succeed(line(Base64.encode(data)))
    case "auto":
      if (isGzip(data)) return Effect.flatMap(gunzip(data), (inner) => renderPlain(inner, "auto"))
      return renderPlain(data, "auto")
    case "text":
    case "json":
      return isGzip(data)
        ? Effect.flatMap(gunzip(data), (inner) => renderPlain(inner, format))
        : renderPlain(data, format)
  }
}

/**
 * A dump of bytes: the offset, sixteen bytes in hex, and the printable ones of ASCII.
 *
 * @category conversions
 * @since 0.1.0
 */
export const hexDump = (data: Uint8Array): string => {
  const lines: Array<string> = []
  for (let start = 0; start < data.length; start += 16) {
    const row = Array.from(data.subarray(start, start + 16))
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0"))
    const columns = `${hex.slice(0, 8).join(" ").padEnd(23)}  ${hex.slice(8).join(" ").padEnd(23)}`
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("")
    lines.push(`${start.toString(16).padStart(8, "0")}  ${columns}  |${ascii}|\n`)
  }
  return lines.join("")
}

// ---- internal

/** Control characters other than tab, line feed and carriage return. */
const acting = /[^\P{Cc}\t\n\r]/u

const line = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`)

const renderPlain = (data: Uint8Array, format: "auto" | "text" | "json"): Effect.Effect<string, BadData> => {
  const text = decodeUtf8(data)
  if (format === "auto") {
    return Effect.succeed(text === undefined || acting.test(text) ? hexDump(data) : line(text))
  }
  if (text === undefined) {
    return Effect.fail(new BadData({ message: "the data is not UTF-8; --as hex shows it, --as raw gives it as it is" }))
  }
  if (format === "text") return Effect.succeed(line(text))
  return Effect.try({
    try: () => void JSON.parse(text),
    catch: () => new BadData({ message: "the data is not JSON; --as text shows it" })
  }).pipe(
    Effect.flatMap(() => {
      const indented = indentJson(text)
      return indented === undefined
        ? Effect.fail(new BadData({ message: "the data is nested too deeply to be indented; --as text shows it" }))
        : Effect.succeed(`${indented}\n`)
    })
  )
}

/** A small text of many brackets must not fill the memory. */
const maxIndented = 128 * 1024 * 1024

/**
 * Indents JSON that is well-formed; undefined where that is too long. Numbers, strings and keys stay as they are written, because
 * an integer of 64 bits has no exact value in JavaScript, and the output may be written back.
 */
const indentJson = (text: string): string | undefined => {
  let out = ""
  let depth = 0
  let isOpened = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === " " || char === "\t" || char === "\n" || char === "\r") continue
    const isClosing = char === "}" || char === "]"
    if (isClosing) depth--
    // Empty brackets stay together.
    if (isClosing !== isOpened) out += newLine(depth)
    isOpened = char === "{" || char === "["
    if (isOpened) depth++
    if (char === '"') {
      const start = at++
      for (; text.charAt(at) !== '"'; at++) if (text.charAt(at) === "\\") at++
      out += text.slice(start, at + 1)
    } else {
      out += char === "," ? char + newLine(depth) : char === ":" ? ": " : char
    }
    if (out.length > maxIndented) return undefined
  }
  return out
}

const newLine = (depth: number): string => `\n${"  ".repeat(depth)}`
