/**
 * Reads primitive Jute values from one frame. Every read checks how many bytes are left, and nothing larger than the frame
 * is allocated. Malformed bytes throw a `JuteError`; `Jute.decode` turns it into a Result.
 *
 * @since 0.1.0
 */
import { decodeLatin1, decodeText, isAscii } from "./internal/text.ts"
import { JuteError, within } from "./JuteError.ts"

/** From so many names on, decoding the whole vector at once is faster than name by name. */
const LONG_VECTOR = 16

/**
 * The bytes of a vector that are decoded at a time. For a text of more than some 100 KB V8 takes new memory from the system,
 * which costs as much as all the rest; and a name that is kept keeps the text that it was cut out of.
 */
const PIECE = 8192

/**
 * A cursor over the bytes of one frame. Codecs read with it; use it directly for a hand-written codec (`Jute.Codec`).
 *
 * @category decoding
 * @since 0.1.0
 */
export class JuteReader {
  private source: Uint8Array
  private view: DataView
  private start: number
  private end: number
  private position: number
  private viewed = false

  /** Reads `bytes[start..end)`. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.source = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = start
    this.start = start
    this.end = end
  }

  /**
   * Reads `bytes[start..end)` from now on. One reader for all frames of a connection is cheaper than a reader for each, mostly
   * because the frames of one chunk share a view.
   */
  reset(bytes: Uint8Array, start: number, end: number): void {
    if (bytes !== this.source) {
      this.source = bytes
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.position = start
    this.start = start
    this.end = end
    this.viewed = false
  }

  /** Whether a view of the bytes was given since `reset`: values that were read may hold them, and they must not be freed. */
  get hasGivenView(): boolean {
    return this.viewed
  }

  /** The position, in bytes from the start of the array. */
  get offset(): number {
    return this.position
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.end - this.position
  }

  /** A byte: 0 is false, anything else is true. */
  boolean(): boolean {
    this.need(1)
    return this.source[this.position++] !== 0
  }

  /** A signed integer of four bytes. */
  int(): number {
    this.need(4)
    const value = this.view.getInt32(this.position)
    this.position += 4
    return value
  }

  /** A signed integer of eight bytes. */
  long(): bigint {
    this.need(8)
    const value = this.view.getBigInt64(this.position)
    this.position += 8
    return value
  }

  /** A long as a number: exact up to 2^53. */
  millis(): number {
    this.need(8)
    const value = this.view.getInt32(this.position) * 4_294_967_296 + this.view.getUint32(this.position + 4)
    this.position += 8
    return value
  }

  /**
   * Skips `size` bytes, which `read` reads from the view at the given offset: one check for all fields of a record of a fixed
   * size. The view is of the frame, whose memory is used again: `read` must not keep it, nor its buffer.
   */
  fixed<A>(size: number, read: (view: DataView, at: number) => A): A {
    this.need(size)
    const at = this.position
    this.position += size
    return read(this.view, at)
  }

  /** Goes back to an earlier `offset`. */
  rewind(offset: number): void {
    this.position = offset
  }

  /** Text that must not be null. */
  text(): string {
    const value = this.ustring()
    if (value === null) throw this.error("null where a value is required")
    return value
  }

  /** A view of the bytes, not a copy; `null` for length -1. */
  buffer(): Uint8Array | null {
    const length = this.length("buffer")
    if (length < 0) return null
    const start = this.position
    this.position += length
    this.viewed = true
    // The same as `subarray`, which is slower because it looks for the constructor.
    return new Uint8Array(this.source.buffer, this.source.byteOffset + start, length)
  }

  /** Text; `null` for length -1. */
  ustring(): string | null {
    const length = this.length("string")
    if (length < 0) return null
    const start = this.position
    this.position += length
    return decodeText(this.source, start, this.position)
  }

  /** The number of elements of a vector, each of at least `minimumSize` bytes; -1 for null. */
  count(minimumSize: number): number {
    const count = this.int()
    if (count < -1) throw this.error(`a vector of ${count} elements`)
    if (count * minimumSize > this.remaining) {
      throw this.error(`a vector of ${count} elements in the ${this.remaining} bytes that are left`)
    }
    return count
  }

  /** A vector of strings, none of them null; `null` for count -1. */
  ustrings(): Array<string> | null {
    const count = this.count(4)
    if (count < 0) return null
    if (count >= LONG_VECTOR) {
      const ascii = this.asciiStrings(count)
      if (ascii !== undefined) return ascii
    }
    const strings = new Array<string>(count)
    let at = 0
    try {
      for (; at < count; at++) {
        const value = this.ustring()
        if (value === null) throw this.error("null where a value is required")
        strings[at] = value
      }
    } catch (error) {
      throw within(`[${at}]`, error)
    }
    return strings
  }

  /** The error of malformed bytes at the current position. */
  error(problem: string): JuteError {
    return new JuteError({ offset: this.position - this.start, field: "", problem })
  }

  /**
   * Decodes many names as one text and cuts them out of it, which takes a third of the time of decoding each. Undefined if a
   * byte is not ASCII, be it of a name or of its length.
   */
  private asciiStrings(count: number): Array<string> | undefined {
    const start = this.position
    let end = start
    for (let i = 0; i < count; i++) {
      if (end + 4 > this.end) return undefined
      const length = this.view.getInt32(end)
      if (length < 0 || length > this.end - end - 4) return undefined
      end += 4 + length
    }
    if (!isAscii(this.source, start, end)) return undefined
    const strings = new Array<string>(count)
    let text = ""
    let from = start
    let to = start
    let at = start
    for (let i = 0; i < count; i++) {
      const name = at + 4
      at = name + this.view.getInt32(at)
      if (at > to) {
        from = name
        to = Math.max(at, Math.min(name + PIECE, end))
        text = decodeLatin1(this.source, from, to)
      }
      strings[i] = text.substring(name - from, at - from)
    }
    this.position = end
    return strings
  }

  private length(what: string): number {
    const length = this.int()
    if (length < -1) throw this.error(`a ${what} of ${length} bytes`)
    if (length > this.end - this.position) {
      throw this.error(`a ${what} of ${length} bytes in the ${this.remaining} that are left`)
    }
    return length
  }

  private need(size: number): void {
    if (this.position + size > this.end) throw this.error(`${size} bytes needed, ${this.remaining} left`)
  }
}
