/**
 * The bytes of a file that have arrived and are not decoded yet. It holds one record at most, plus a chunk: a decoder asks
 * for the bytes of a record with `has`, and is called again when they have arrived.
 */
import { Malformed } from "./Malformed.ts"

export class ByteWindow {
  /** Decoders read `bytes[position..end)`. */
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(this.bytes.buffer)
  position = 0
  end = 0
  /** The offset in the file of `bytes[0]`. */
  private base = 0
  private needed = 0
  private waiting: Array<Uint8Array> = []
  private waitingSize = 0
  private readonly limit: number

  /** `limit` is the longest record, in bytes. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** The offset in the file of the next byte. */
  get offset(): number {
    return this.base + this.position
  }

  /** How many bytes can be read. */
  get available(): number {
    return this.end - this.position
  }

  /** Adds the next bytes of the file. Returns whether the decoder can go on. */
  push(chunk: Uint8Array): boolean {
    this.waiting.push(chunk)
    this.waitingSize += chunk.length
    if (this.available + this.waitingSize < this.needed) return false
    this.join()
    return true
  }

  /** Adds the bytes that wait for others, when there will be no others. */
  join(): void {
    if (this.waiting.length === 0) return
    const rest = this.available
    const [first] = this.waiting
    this.base += this.position
    this.position = 0
    if (rest === 0 && this.waiting.length === 1 && first !== undefined) {
      this.bytes = first
    } else {
      const joined = new Uint8Array(rest + this.waitingSize)
      joined.set(this.bytes.subarray(this.end - rest, this.end))
      let at = rest
      for (const chunk of this.waiting) {
        joined.set(chunk, at)
        at += chunk.length
      }
      this.bytes = joined
    }
    this.end = this.bytes.length
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
    this.waiting = []
    this.waitingSize = 0
  }

  /** Whether so many bytes are there, from the position on. If not, the decoder is called when they are. */
  has(size: number): boolean {
    if (size > this.limit) {
      throw new Malformed(
        "TooLarge",
        this.offset,
        `a record of at most ${this.limit} bytes (maxRecordSize)`,
        `one of ${size}`
      )
    }
    this.needed = size
    return size <= this.available
  }

  /** The length of a buffer or string at so many bytes after the position; -1 is null. Throws if it is negative otherwise. */
  lengthAt(after: number, what: string): number {
    const length = this.view.getInt32(this.position + after)
    if (length < -1) {
      throw new Malformed("Corrupt", this.offset + after, `the length of ${what}`, `${length}`)
    }
    return Math.max(length, 0)
  }
}
