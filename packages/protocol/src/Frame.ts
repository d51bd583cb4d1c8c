/**
 * Frames: a length of four bytes and so many bytes, in both directions.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "./ErrorClass.ts"
import * as Schema from "effect/Schema"
import type * as Jute from "./Jute.ts"
import { JuteWriter } from "./JuteWriter.ts"

/**
 * The most bytes that a server takes in one request, its length not counted, as servers are shipped. Their
 * `jute.maxbuffer` raises or lowers it.
 *
 * @category constants
 * @since 0.1.0
 */
export const MAX_REQUEST = 1_048_575

/**
 * A length that is negative or above the limit. Nothing was allocated for it, and the stream cannot be read on.
 *
 * @category errors
 * @since 0.1.0
 */
export class FrameLengthError extends ErrorClass.make(
  Schema.TaggedError<FrameLengthError>()("FrameLengthError", {
    /** Bytes, as announced. */
    length: Schema.Number,
    /** Bytes. */
    limit: Schema.Number,
    /** The first four bytes of the frame, which say whose it is, where they were waited for. */
    xid: Schema.optionalKey(Schema.Number)
  })
) {
  override get message(): string {
    return `a frame of ${this.length} bytes was announced; 0 to ${this.limit} are accepted (see maxFrameSize)`
  }
}

/**
 * Gets `bytes[start..end)`, one frame without its length. The bytes are never written to again.
 *
 * @category models
 * @since 0.1.0
 */
export type OnFrame = (bytes: Uint8Array, start: number, end: number) => void

/**
 * The most bytes of other frames that a kept view of a small frame keeps alive (16 KiB).
 *
 * @category constants
 * @since 0.1.0
 */
export const PIECE = 16_384

/**
 * Cuts a stream of chunks into frames. A frame that does not lie within one chunk is put together in a buffer that grows
 * with the bytes that came, not with the length that was announced. Small frames of a large chunk are copied some at a
 * time into pieces of at most `PIECE` bytes, so that a value which is kept does not keep the whole chunk; all others are
 * handed on without a copy.
 *
 * @category models
 * @since 0.1.0
 */
export class FrameSplitter {
  private readonly limit: number
  /**
   * The most bytes of an event, which nobody has asked for. Where it is given, the first four bytes of a frame beyond the
   * limit are waited for, for they tell whose it is.
   */
  eventLimit: number | undefined
  private partial: Uint8Array = new Uint8Array(0)
  private filled = 0

  /** `limit`: the most bytes of one frame. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Bytes of an unfinished frame that wait for the rest. */
  get pending(): number {
    return this.filled
  }

  /**
   * Calls `onFrame` for each frame that `chunk` completes. Whether all was copied: then nobody who keeps a frame keeps
   * `chunk`. Throws `FrameLengthError`.
   */
  push(chunk: Uint8Array, onFrame: OnFrame): boolean {
    let at = 0
    let copied = true
    if (this.filled > 0) {
      at = this.complete(chunk, onFrame)
      if (at < 0) return true
    }
    while (at + 4 <= chunk.length) {
      const end = at + 4 + this.check(chunk, at, chunk.length)
      if (end > chunk.length) break
      if (end - at <= PIECE && chunk.length > PIECE) {
        at = this.piece(chunk, at, onFrame)
      } else {
        const start = at + 4
        at = end
        copied = false
        onFrame(chunk, start, end)
      }
    }
    if (at < chunk.length) this.store(chunk, at, chunk.length)
    return copied
  }

  /** Hands on the frames from `from` on that fit into one piece; the offset after them. */
  private piece(chunk: Uint8Array, from: number, onFrame: OnFrame): number {
    const piece = chunk.slice(from, Math.min(from + PIECE, chunk.length))
    let at = 0
    while (at + 4 <= piece.length) {
      const end = at + 4 + this.check(piece, at, piece.length)
      if (end > piece.length) break
      const start = at + 4
      at = end
      onFrame(piece, start, end)
    }
    return from + at
  }

  /** Completes the frame begun in earlier chunks; the offset after it, or -1 when it is still unfinished. */
  private complete(chunk: Uint8Array, onFrame: OnFrame): number {
    let at = 0
    if (this.filled < 4) {
      const take = Math.min(4 - this.filled, chunk.length)
      this.store(chunk, 0, take)
      at = take
      if (this.filled < 4) return -1
    }
    if (readInt(this.partial, 0) > this.limit && this.filled < 8) {
      const more = Math.min(8 - this.filled, chunk.length - at)
      this.store(chunk, at, at + more)
      at += more
    }
    const total = 4 + this.check(this.partial, 0, this.filled)
    const take = Math.min(total - this.filled, chunk.length - at)
    this.store(chunk, at, at + take, total)
    at += take
    if (this.filled < total) return -1
    const frame = this.partial
    this.partial = new Uint8Array(0)
    this.filled = 0
    onFrame(frame, 4, total)
    return at
  }

  private store(chunk: Uint8Array, start: number, end: number, total = 0): void {
    const needed = this.filled + end - start
    if (needed > this.partial.length) {
      const doubled = Math.max(needed, this.partial.length * 2, 64)
      // The last growth fits exactly: a kept view of the frame then keeps nothing beside it alive.
      const grown = new Uint8Array(total > 0 ? Math.max(needed, Math.min(doubled, total)) : doubled)
      grown.set(this.partial.subarray(0, this.filled))
      this.partial = grown
    }
    this.partial.set(chunk.subarray(start, end), this.filled)
    this.filled = needed
  }

  /** The length at `at`, if it is not too large as far as can be told from the bytes before `end`. */
  private check(bytes: Uint8Array, at: number, end: number): number {
    const length = readInt(bytes, at)
    if (length < 0 || length > this.limit) this.judge(length, bytes, at, end)
    return length
  }

  private judge(length: number, bytes: Uint8Array, at: number, end: number): void {
    const { eventLimit, limit } = this
    if (length < 0 || eventLimit === undefined) throw new FrameLengthError({ length, limit })
    // Not yet told: the frame is unfinished, and looked at again with its next bytes.
    if (end - at < 8) return
    const xid = readInt(bytes, at + 4)
    if (xid !== EVENT || length > eventLimit) throw new FrameLengthError({ length, limit, xid })
  }
}

/**
 * Appends one frame to a writer: the length, then whatever `body` writes. The size of the frame without its length.
 *
 * @category encoding
 * @since 0.1.0
 */
export const append = (writer: JuteWriter, body: (writer: JuteWriter) => void): number => {
  const start = writer.length
  writer.int(0)
  body(writer)
  const size = writer.length - start - 4
  writer.setInt(start, size)
  return size
}

/**
 * One value as a frame of its own.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = <A>(codec: Jute.Codec<A>, value: A): Uint8Array => {
  const writer = new JuteWriter()
  append(writer, (body) => codec.write(body, value))
  return writer.take()
}

/** The xid of events (`Operations.Xid.notification`). */
const EVENT = -1

const readInt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
