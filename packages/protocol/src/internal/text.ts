/**
 * Text as Java servers write it: UTF-8, where a character outside the basic plane may be two surrogates of three bytes each
 * (CESU-8). Decoding is lenient, since one invalid byte in a name must not end a connection.
 */

interface NodeBuffer {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string
  readonly utf8Write: (this: Uint8Array, text: string, offset: number, length: number) => number
}

interface NodeBufferModule {
  readonly isAscii?: (bytes: Uint8Array) => boolean
}

const prototype = (globalThis as { readonly Buffer?: { readonly prototype: NodeBuffer } }).Buffer?.prototype

// Node's Buffer is two to ten times faster than TextDecoder and TextEncoder. Other runtimes use those, also where they
// imitate Buffer.
const native =
  typeof prototype?.utf8Slice === "function" && typeof prototype.utf8Write === "function" ? prototype : undefined
// One native pass, in a fraction of the time of an expression over the text.
const nativeIsAscii = (
  globalThis as { readonly process?: { readonly getBuiltinModule?: (id: string) => NodeBufferModule | undefined } }
).process?.getBuiltinModule?.("node:buffer")?.isAscii

const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true })
const textEncoder = new TextEncoder()

const REPLACEMENT = "\ufffd"

/** Up to so many bytes a loop over ASCII characters is faster than the call into the runtime, for reading and for writing. */
const SHORT = 8
const SHORT_WRITE = 16

/**
 * Writes a text, and returns how many bytes it took. After the offset there must be three bytes for each of its code units,
 * the most that UTF-8 takes. A surrogate without its partner becomes U+FFFD.
 */
export const encodeText = (text: string, bytes: Uint8Array, at: number): number => {
  if (text.length < SHORT_WRITE) {
    const written = writeShortAscii(text, bytes, at)
    if (written >= 0) return written
  }
  return native === undefined
    ? textEncoder.encodeInto(text, bytes.subarray(at)).written
    : native.utf8Write.call(bytes, text, at, text.length * 3)
}

const writeShortAscii = (text: string, bytes: Uint8Array, at: number): number => {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return -1
    bytes[at + i] = unit
  }
  return text.length
}

/** Decodes `bytes[start..end)`. */
export const decodeText = (bytes: Uint8Array, start: number, end: number): string => {
  if (end - start < SHORT) {
    const ascii = shortAscii(bytes, start, end)
    if (ascii !== undefined) return ascii
  }
  const text =
    native === undefined ? textDecoder.decode(bytes.subarray(start, end)) : native.utf8Slice.call(bytes, start, end)
  return text.includes(REPLACEMENT) ? decodeLenient(bytes, start, end) : text
}

/** Whether all of `bytes[start..end)` are ASCII. */
export const isAscii = (bytes: Uint8Array, start: number, end: number): boolean => {
  if (nativeIsAscii !== undefined) return nativeIsAscii(bytes.subarray(start, end))
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return false
  return true
}

/** Decodes each byte as one character. */
export const decodeLatin1 = (bytes: Uint8Array, start: number, end: number): string => {
  if (native !== undefined) return native.latin1Slice.call(bytes, start, end)
  let text = ""
  for (let i = start; i < end; i += 4096) {
    text += String.fromCharCode(...bytes.subarray(i, Math.min(end, i + 4096)))
  }
  return text
}

const shortAscii = (bytes: Uint8Array, start: number, end: number): string | undefined => {
  let text = ""
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

const decodeLenient = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ""
  let plain = start
  let i = start
  const flush = (to: number) => {
    if (to > plain) text += textDecoder.decode(bytes.subarray(plain, to))
  }
  while (i + 2 < end) {
    const isSurrogate =
      bytes[i] === 0xed && isBetween(bytes[i + 1]!, 0xa0, 0xbf) && isBetween(bytes[i + 2]!, 0x80, 0xbf)
    if (!isSurrogate) {
      i++
      continue
    }
    flush(i)
    text += String.fromCharCode(0xd000 | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f))
    i += 3
    plain = i
  }
  flush(end)
  // A surrogate without its partner is not a character.
  return text.toWellFormed()
}

const isBetween = (byte: number, low: number, high: number): boolean => byte >= low && byte <= high
