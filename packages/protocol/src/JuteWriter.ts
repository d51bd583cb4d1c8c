/**
 * A growing buffer that primitive Jute values are appended to. It is pure bookkeeping over bytes: no Effect, no I/O.
 *
 * @since 0.1.0
 */
import { encodeText } from "./internal/text.ts"

/** What a writer begins with after its bytes were taken, and has at most unless its memory is given back to it. */
const CAPACITY = 16_384

/** The most memory that is kept for later (1 MiB). */
const MAX_KEPT = 1_048_576

/**
 * @category encoding
 * @since 0.1.0
 */
export class JuteWriter {
  private bytes: Uint8Array<ArrayBuffer>
  private view: DataView
  private position = 0
  /** What was given back. */
  private spare: { readonly bytes: Uint8Array<ArrayBuffer>; readonly view: DataView } | undefined

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
    this.spare = undefined
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.position
  }

  /** Drops everything written after `length`, as if it had never been. */
  truncate(length: number): void {
    this.position = length
  }

  /**
   * Hands over all bytes written so far and starts anew with a buffer of its own, so that what was handed over is never
   * written to again, unless it is given back.
   */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.bytes.buffer, 0, this.position)
    const { spare } = this
    if (spare !== undefined) {
      this.spare = undefined
      this.bytes = spare.bytes
      this.view = spare.view
    } else {
      // A rare large request must not make every later buffer large.
      this.bytes = new Uint8Array(Math.min(Math.max(this.position, 256), CAPACITY))
      this.view = new DataView(this.bytes.buffer)
    }
    this.position = 0
    return taken
  }

  /**
   * Takes back what `take` handed over, once nobody looks at it any more: its memory is written to again, which spares the
   * runtime two thirds of what a new one costs. What was far too large for what it carried is let go, so that a writer
   * does not stay large after one large request.
   */
  giveBack(taken: Uint8Array<ArrayBuffer>): void {
    const capacity = taken.buffer.byteLength
    if (capacity > CAPACITY && (capacity > MAX_KEPT || capacity > taken.length * 4)) return
    this.spare = { bytes: new Uint8Array(taken.buffer), view: new DataView(taken.buffer) }
  }

  boolean(value: boolean): void {
    this.reserve(1)
    this.bytes[this.position++] = value ? 1 : 0
  }

  int(value: number): void {
    this.reserve(4)
    this.view.setInt32(this.position, value)
    this.position += 4
  }

  /** Overwrites an int written before; used for lengths that are known only afterwards. */
  setInt(position: number, value: number): void {
    this.view.setInt32(position, value)
  }

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
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.position))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }
}
