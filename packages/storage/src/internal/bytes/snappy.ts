/** The files that ZooKeeper writes with snapshot.compression.method=snappy: blocks of Snappy behind the header of snappy-java. */
import type { ByteWindow } from "./ByteWindow.ts"
import type { RecordDecoder } from "./decodeStream.ts"
import { Malformed } from "./Malformed.ts"

/** The magic bytes, and two versions, both 1. */
const HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)

/** The largest block, without compression: 16 MiB. Servers write blocks of 32 KiB. */
const MAX_BLOCK = 16_777_216

/** Decodes the blocks of a file. Its offsets are those of the compressed file. */
export const makeSnappyDecoder = (): RecordDecoder<Uint8Array> => {
  let hasHeader = false
  return {
    next: (window) => {
      if (!hasHeader) {
        if (!window.has(HEADER.length)) return undefined
        readHeader(window)
        hasHeader = true
      }
      if (!window.has(4)) return undefined
      const size = window.view.getInt32(window.position)
      if (size <= 0 || size > MAX_BLOCK)
        throw new Malformed("Corrupt", window.offset, "the size of a block of Snappy", `${size}`)
      if (!window.has(4 + size)) return undefined
      const start = window.position + 4
      const block = uncompress(window.bytes, start, start + size, window.offset + 4)
      window.position = start + size
      return block
    },
    end: (window) => {
      if (!hasHeader)
        throw new Malformed("Truncated", window.offset, "the header of snappy-java", "the end of the file")
      if (window.available > 0) {
        throw new Malformed(
          "Truncated",
          window.offset,
          "a block of Snappy",
          `the end of the file after ${window.available} bytes of it`
        )
      }
      return undefined
    }
  }
}

const readHeader = (window: ByteWindow): void => {
  for (let at = 0; at < HEADER.length; at++) {
    const byte = window.bytes[window.position + at]
    if (byte !== HEADER[at]) {
      throw new Malformed("Foreign", window.offset + at, `${HEADER[at]} of the header of snappy-java`, `${byte}`)
    }
  }
  window.position += HEADER.length
}

/** One block: its size in groups of seven bits, then literals and copies of what came before. */
const uncompress = (bytes: Uint8Array, start: number, end: number, offset: number): Uint8Array => {
  const fail = (at: number, expected: string, found: string) =>
    new Malformed("Corrupt", offset + at - start, expected, found)
  let at = start
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at]
    if (at >= end || byte === undefined || shift > 28) throw fail(at, "the size of a block of Snappy", "no such number")
    at++
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (size > MAX_BLOCK) throw fail(start, `a block of at most ${MAX_BLOCK} bytes`, `one of ${size}`)
  const output = new Uint8Array(size)
  let written = 0
  while (at < end) {
    const tag = bytes[at]!
    const element = at++
    if ((tag & 3) === 0) {
      let length = tag >> 2
      if (length >= 60) {
        const count = length - 59
        if (at + count > end) throw fail(element, "a literal", "the end of the block")
        length = 0
        for (let i = 0; i < count; i++) length += bytes[at + i]! * 2 ** (8 * i)
        at += count
      }
      length++
      if (length > end - at || length > size - written)
        throw fail(element, "a literal inside of the block", `one of ${length} bytes`)
      output.set(bytes.subarray(at, at + length), written)
      at += length
      written += length
    } else {
      const kind = tag & 3
      const count = kind === 3 ? 4 : kind
      if (at + count > end) throw fail(element, "a copy", "the end of the block")
      const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
      let distance = kind === 1 ? (tag >> 5) * 256 : 0
      for (let i = 0; i < count; i++) distance += bytes[at + i]! * 2 ** (8 * i)
      at += count
      if (distance === 0 || distance > written || length > size - written) {
        throw fail(element, "a copy of bytes of the block", `one of ${length} bytes from ${distance} bytes before`)
      }
      // A copy may reach into what it writes, byte by byte.
      for (let i = 0; i < length; i++, written++) output[written] = output[written - distance]!
    }
  }
  if (written !== size) throw fail(at, `${size} bytes in the block`, `${written}`)
  return output
}
