/**
 * A growing buffer that primitive Jute values are appended to. It is pure bookkeeping over bytes: no Effect, no I/O.
 *
 * @since 0.1.0
 */

const textEncoder = new TextEncoder()

/** Below this length a loop over ASCII characters beats the call into the runtime's encoder. */
const SHORT_STRING = 64

/**
 * @category encoding
 * @since 0.1.0
 */
export class JuteWriter {
  private bytes: Uint8Array<ArrayBuffer>
  private view: DataView
  private position = 0

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
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
   * written to again.
   */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.position)
    // A rare large request must not make every later buffer large.
    const capacity = Math.min(Math.max(this.position, 256), 16_384)
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
    this.position = 0
    return taken
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
    const written = value.length < SHORT_STRING ? this.shortAscii(value, start) : -1
    const length = written >= 0 ? written : textEncoder.encodeInto(value, this.bytes.subarray(start)).written
    this.view.setInt32(this.position, length)
    this.position = start + length
  }

  /** Appends raw bytes without a length. */
  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.bytes.set(value, this.position)
    this.position += value.length
  }

  private shortAscii(value: string, start: number): number {
    const bytes = this.bytes
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) return -1
      bytes[start + i] = unit
    }
    return value.length
  }

  private reserve(size: number): void {
    const needed = this.position + size
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.position))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }
}
