/**
 * Frames, in both directions: a length in four bytes, and as many bytes.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "./ErrorClass.ts"
import * as Schema from "effect/Schema"
import type * as Jute from "./Jute.ts"
import { JuteWriter } from "./JuteWriter.ts"

/**
 * The most bytes that a server accepts in one request by default, without the length. Its `jute.maxbuffer` raises or lowers
 * it.
 *
 * @category constants
 * @since 0.1.0
 */
export const MAX_REQUEST = 1_048_575

/**
 * The length of a frame is negative or above the limit. Nothing was allocated for it. The rest of the stream cannot be read,
 * so the connection has to be closed.
 *
 * @category errors
 * @since 0.1.0
 */
export class FrameLengthError extends ErrorClass.make(
  Schema.TaggedError<FrameLengthError>()("FrameLengthError", {
    /** The announced length, in bytes. */
    length: Schema.Number,
    /** The most bytes of a frame. */
    limit: Schema.Number,
    /** The first four bytes of the frame, which name the request, if they were waited for (see `eventLimit`). */
    xid: Schema.optionalKey(Schema.Number)
  })
) {
  override get message(): string {
    return `a frame of ${this.length} bytes was announced; 0 to ${this.limit} are accepted (see maxFrameSize)`
  }
}

/**
 * A function that receives one frame without its length, `bytes[start..end)`. The bytes are never written to again.
 *
 * @category models
 * @since 0.1.0
 */
export type OnFrame = (bytes: Uint8Array, start: number, end: number) => void

/**
 * The size of the pieces into which small frames are copied, in bytes (16 KiB): a view of a small frame that is kept keeps
 * at most so many bytes alive.
 *
 * @category constants
 * @since 0.1.0
 */
export const PIECE = 16_384

/** The place of the bytes of an unfinished frame. */
const noBytes = new Uint8Array(0)

/** How many times the bytes that have arrived a buffer for an unfinished frame has room for, as far as the frame is so large. */
const GROWTH = 4

/**
 * Cuts a stream of chunks into frames. A frame that is not within one chunk is put together in a buffer that grows with the
 * bytes that have arrived, not with the announced length. Small frames of a large chunk are copied, several at a time, into
 * pieces of at most `PIECE` bytes, so that a value that is kept does not keep the whole chunk alive; all others are handed
 * on without a copy.
 *
 * @category models
 * @since 0.1.0
 */
export class FrameSplitter {
  private readonly limit: number
  /**
   * The most bytes of an event, which is not the answer to a request. With it, the splitter waits for the first four bytes
   * of a frame beyond the limit, which tell an event from a reply and name the request of a reply.
   */
  eventLimit: number | undefined
  private partial: Uint8Array = noBytes
  private filled = 0

  /** `limit` is the most bytes of one frame. */
  constructor(limit: number) {
    this.limit = limit
  }

  /** How many bytes of an unfinished frame wait for the rest. */
  get pending(): number {
    return this.filled
  }

  /**
   * Calls `onFrame` for each frame that `chunk` completes. Returns whether all frames were copied, so that `chunk` can be
   * freed even if frames are kept. Throws `FrameLengthError`.
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
    if (at < chunk.length) this.store(chunk, at, chunk.length, at + 4 <= chunk.length ? 4 + readInt(chunk, at) : 0)
    return copied
  }

  /** Hands on the frames from `from` that fit into one piece; returns the offset after them. */
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

  /** Completes the frame that earlier chunks began; returns the offset after it, or -1 while it is unfinished. */
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
    this.partial = noBytes
    this.filled = 0
    onFrame(frame, 4, total)
    return at
  }

  private store(chunk: Uint8Array, start: number, end: number, total = 0): void {
    const needed = this.filled + end - start
    if (needed > this.partial.length) {
      const larger = Math.max(needed * GROWTH, 64)
      // The last growth fits exactly, so that a view of the frame keeps nothing else alive.
      const grown = new Uint8Array(total > 0 ? Math.max(needed, Math.min(larger, total)) : larger)
      grown.set(this.partial.subarray(0, this.filled))
      this.partial = grown
    }
    this.partial.set(chunk.subarray(start, end), this.filled)
    this.filled = needed
  }

  /** The length at `at`. Throws if it is too large, as far as the bytes before `end` show. */
  private check(bytes: Uint8Array, at: number, end: number): number {
    const length = readInt(bytes, at)
    if (length < 0 || length > this.limit) this.judge(length, bytes, at, end)
    return length
  }

  private judge(length: number, bytes: Uint8Array, at: number, end: number): void {
    const { eventLimit, limit } = this
    if (length < 0 || eventLimit === undefined) throw new FrameLengthError({ length, limit })
    // The frame is unfinished, and is checked again with its next bytes.
    if (end - at < 8) return
    const xid = readInt(bytes, at + 4)
    if (xid !== EVENT || length > eventLimit) throw new FrameLengthError({ length, limit, xid })
  }
}

/**
 * Appends one frame to a writer: the length, and then the bytes that `body` writes. Returns the size without the length.
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
 * One value as a frame, its length included.
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
