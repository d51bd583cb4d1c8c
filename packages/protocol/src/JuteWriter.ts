/**
 * Writes primitive Jute values to a growing buffer. It has no Effect and does no I/O.
 *
 * @since 0.1.0
 */
import { encodeText } from "./internal/text.ts"

/** The most bytes of a new buffer after the old one was taken. */
const CAPACITY = 16_384

/** The largest buffer that is kept for reuse (1 MiB). */
const MAX_KEPT = 1_048_576

/** The place of a buffer that is made with the first value. */
const noBytes = new Uint8Array(0)
const noView = new DataView(noBytes.buffer)

/**
 * A buffer that grows as values are appended. Codecs write to it; use it directly to put several frames into one packet
 * (`Frame.append`).
 *
 * @category encoding
 * @since 0.1.0
 */
export class JuteWriter {
  private bytes: Uint8Array<ArrayBuffer> = noBytes
  private view: DataView = noView
  private position = 0
  /** The size of the next new buffer, unless more is needed at once. */
  private capacity: number
  /** A buffer that was given back, for reuse. */
  private spare: { readonly bytes: Uint8Array<ArrayBuffer>; readonly view: DataView } | undefined

  /** `capacity` is the size of the first buffer, in bytes. It is made with the first value. */
  constructor(capacity = 256) {
    this.capacity = capacity
    this.spare = undefined
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.position
  }

  /** Drops everything after the first `length` bytes. */
  truncate(length: number): void {
    this.position = length
  }

  /**
   * Returns all bytes written so far and continues with another buffer, so that the returned bytes are not written to again
   * unless they are given back.
   */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.bytes.buffer, 0, this.position)
    const { spare } = this
    if (spare !== undefined) {
      this.spare = undefined
      this.bytes = spare.bytes
      this.view = spare.view
    } else {
      this.bytes = noBytes
      this.view = noView
      // A rare large request must not make every later buffer large.
      this.capacity = Math.min(Math.max(this.position, 256), CAPACITY)
    }
    this.position = 0
    return taken
  }

  /**
   * Takes back the bytes that `take` returned, when they are no longer used: their memory is written to again, which costs a
   * third of a new buffer. A buffer far larger than its bytes is not kept, so that a writer does not stay large after one
   * large request.
   */
  giveBack(taken: Uint8Array<ArrayBuffer>): void {
    const capacity = taken.buffer.byteLength
    if (capacity > CAPACITY && (capacity > MAX_KEPT || capacity > taken.length * 4)) return
    const bytes = new Uint8Array(taken.buffer)
    const view = new DataView(taken.buffer)
    if (this.bytes === noBytes) {
      this.bytes = bytes
      this.view = view
    } else this.spare = { bytes, view }
  }

  /** One byte: 1 or 0. */
  boolean(value: boolean): void {
    this.reserve(1)
    this.bytes[this.position++] = value ? 1 : 0
  }

  /** Four bytes, signed. */
  int(value: number): void {
    this.reserve(4)
    this.view.setInt32(this.position, value)
    this.position += 4
  }

  /** Overwrites an earlier int, such as a length that is known only afterwards. */
  setInt(position: number, value: number): void {
    this.view.setInt32(position, value)
  }

  /** Eight bytes, signed. */
  long(value: bigint): void {
    this.reserve(8)
    this.view.setBigInt64(this.position, value)
    this.position += 8
  }

  /** A length and the bytes; `null` is written as length -1. */
  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1)
      return
    }
    this.reserve(4 + value.length)
    this.view.setInt32(this.position, value.length)
    this.bytes.set(value, this.position + 4)
    this.position += 4 + value.length
  }

  /** A length in bytes and the text as UTF-8; `null` is written as length -1. */
  ustring(value: string | null): void {
    if (value === null) {
      this.int(-1)
      return
    }
    // UTF-8 needs at most three bytes for each UTF-16 code unit.
    this.reserve(4 + value.length * 3)
    const start = this.position + 4
    const length = encodeText(value, this.bytes, start)
    this.view.setInt32(this.position, length)
    this.position = start + length
  }

  /** Appends raw bytes without a length. */
  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.bytes.set(value, this.position)
    this.position += value.length
  }

  private reserve(size: number): void {
    if (this.position + size > this.bytes.length) this.grow(this.position + size)
  }

  private grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes === noBytes ? this.capacity : this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.position))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }
}
