import * as Frame from "@effect-zookeeper/protocol/Frame"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Connection } from "@effect-zookeeper/transport/Transport"
import type { TransportError } from "@effect-zookeeper/transport/TransportError"
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { WritableConnection } from "../requests/RequestPipeline.ts"
import { ProtocolViolation } from "../requests/ProtocolViolation.ts"

/** Follows the writing: `onWrite` before bytes are handed over, `onWritten` afterwards, and `onWriteFailed` instead. */
export interface WriteListener {
  readonly onWrite: (now: number) => void
  readonly onWritten: () => void
  readonly onWriteFailed: (cause: Cause.Cause<TransportError>) => void
}

/** The options of a connection, with the parts of the session that it uses. */
export interface FramedConnectionOptions {
  readonly raw: Connection
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  readonly maxFrameSize: number
  /** Events are no larger than the requests that named their paths, but they come without a request. */
  readonly maxEventSize: number
  readonly now: () => number
  /** Writes run in it. */
  readonly context: Context.Context<never>
  /** Reports a defect of this library. */
  readonly reportDefect: (reason: string, defect: unknown) => Effect.Effect<void>
}

/** The bytes of the length in front of a frame. */
const FRAME_LENGTH = 4

/** The bytes of one connection: writes are gathered until the end of the turn, and what is read is cut into frames. */
export class FramedConnection implements WritableConnection {
  readonly raw: Connection
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  readonly writer = new JuteWriter(1024)
  private readonly splitter: Frame.FrameSplitter
  private readonly maxEventSize: number
  private readonly now: () => number
  private readonly context: Context.Context<never>
  private readonly reportDefect: FramedConnectionOptions["reportDefect"]
  private scheduled = false
  private turn = 0
  /** From `startWriting` until `stopWriting`. */
  private isWriting = false
  /** There is none before the network takes less than it gets, unless the transport has no `writeNow`. */
  private writeFiber: Fiber.Fiber<never, TransportError> | undefined
  private wakeWriter: (() => void) | undefined
  private writeListener: WriteListener | undefined
  /** The rest of a write that was begun within a turn: the writer's fiber waits for it. */
  private pendingWrite: Effect.Effect<void, TransportError> | undefined
  /** When each ping without an answer was sent, the oldest first. */
  private readonly pings: Array<number> = []
  /** When the last ping that was answered was sent. */
  private pongedAt = Number.NEGATIVE_INFINITY
  /** When a byte came in last, in monotonic milliseconds. */
  heardAt: number
  /** When something was written last, in monotonic milliseconds. */
  wroteAt: number
  /** When a request or ping was answered last, in monotonic milliseconds, and how many bytes had come in by then. */
  private repliedAt: number
  private repliedBytes = 0
  bytesIn = 0
  bytesOut = 0

  constructor({ raw, context, maxEventSize, maxFrameSize, now, reportDefect, server }: FramedConnectionOptions) {
    this.raw = raw
    this.server = server
    this.splitter = new Frame.FrameSplitter(maxFrameSize)
    this.maxEventSize = maxEventSize
    this.now = now
    this.context = context
    this.reportDefect = reportDefect
    this.heardAt = now()
    this.wroteAt = this.heardAt
    this.repliedAt = this.heardAt
  }

  // ---------------------------------------------------------------------------
  // writing
  // ---------------------------------------------------------------------------

  /** Has everything that was written sent at the end of the turn. Gives the time of this turn, in monotonic milliseconds. */
  schedule(): number {
    if (!this.scheduled) {
      this.scheduled = true
      this.turn = this.now()
      this.raw.defer(this.flush)
    }
    return this.turn
  }

  private readonly flush = (): void => {
    this.scheduled = false
    this.flushNow()
  }

  private flushNow(): void {
    if (!this.isWriting || this.writer.length === 0) return
    if (this.writeFiber === undefined) {
      if (!this.writeNow()) this.startWriter()
      return
    }
    // A writer's fiber that is busy sees by itself what was written meanwhile.
    if (this.wakeWriter === undefined || this.writeNow()) return
    const wake = this.wakeWriter
    this.wakeWriter = undefined
    wake?.()
  }

  /** Writes at the end of a turn, without a fiber. Returns whether there is nothing to wait for, as nearly always. */
  private writeNow(): boolean {
    const { writeNow } = this.raw
    if (writeNow === undefined) return false
    try {
      const bytes = this.takeBytes()
      const rest = writeNow(bytes)
      if (rest === undefined) {
        this.written(bytes)
        return true
      }
      this.pendingWrite = Effect.map(rest, () => this.written(bytes))
    } catch (defect) {
      this.pendingWrite = Effect.die(defect)
    }
    return false
  }

  private takeBytes(): Uint8Array<ArrayBuffer> {
    this.wroteAt = this.now()
    this.writeListener?.onWrite(this.wroteAt)
    const bytes = this.writer.take()
    this.bytesOut += bytes.length
    return bytes
  }

  private written(bytes: Uint8Array<ArrayBuffer>): void {
    // The transport no longer needs the buffer.
    this.writer.giveBack(bytes)
    this.writeListener?.onWritten()
  }

  private readonly awaitWork: Effect.Effect<void> = Effect.callback((resume) => {
    // A fiber may give way between its look at the writer and this line: no flush is to come for bytes written meanwhile.
    if (this.writer.length > 0 && !this.scheduled) return resume(Effect.void)
    const wakeWriter = () => resume(Effect.void)
    this.wakeWriter = wakeWriter
    return Effect.sync(() => {
      this.wakeWriter = undefined
    })
  })

  /** The handshake is done: from now on events may come, and writes leave, until the connection breaks or `stopWriting`. */
  startWriting(writeListener: WriteListener): void {
    this.writeListener = writeListener
    // No frame of a handshake is an event.
    this.splitter.eventLimit = this.maxEventSize
    this.isWriting = true
    if (this.raw.writeNow === undefined) this.startWriter()
    else this.flushNow()
  }

  private startWriter(): void {
    const writeNext = Effect.suspend(() => {
      const { pendingWrite } = this
      this.pendingWrite = undefined
      if (pendingWrite !== undefined) return pendingWrite
      if (this.writer.length === 0) return this.awaitWork
      const bytes = this.takeBytes()
      return Effect.map(this.raw.write(bytes), () => this.written(bytes))
    })
    const writing = Effect.forever(writeNext, { disableYield: true })
    this.writeFiber = Effect.runForkWith(this.context)(writing)
    this.writeFiber.addObserver((exit) => {
      // After `stopWriting` its end is no failure.
      if (this.isWriting && Exit.isFailure(exit)) this.writeListener?.onWriteFailed(exit.cause)
    })
  }

  /** Ends all writing. */
  get stopWriting(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { writeFiber } = this
      this.isWriting = false
      this.writeFiber = undefined
      return writeFiber === undefined ? Effect.void : Fiber.interrupt(writeFiber)
    })
  }

  /** Asks for a sign of life. */
  ping(): void {
    Frame.append(this.writer, (writer) => {
      writer.int(Operations.Xid.ping)
      writer.int(Operations.ping.opCode)
    })
    this.pings.push(this.schedule())
  }

  /** The oldest ping is answered. Returns when it was sent; throws `ProtocolViolation` if there is none. */
  pong(): number {
    const sentAt = this.pings.shift()
    if (sentAt === undefined) throw new ProtocolViolation("the answer to a ping that was not sent")
    this.pongedAt = sentAt
    return sentAt
  }

  // ---------------------------------------------------------------------------
  // reading
  // ---------------------------------------------------------------------------

  /** A request or a ping has been answered. */
  noteReply(): void {
    this.repliedAt = this.heardAt
    this.repliedBytes = this.bytesIn
  }

  /** Frees the memory of a frame that has been read and of which nothing is kept, if there is nothing else in it. */
  releaseFrame(bytes: Uint8Array, start: number, end: number): void {
    if (start === FRAME_LENGTH && end === bytes.length) this.raw.release?.(bytes)
  }

  /**
   * Whether the server talks without ever answering: pings and requests have waited for `millis`, and less than a kilobyte a
   * second came meanwhile, so that it is no large reply on a slow network either.
   */
  isUnresponsive(now: number, millis: number): boolean {
    const asked = this.pings[0]
    if (asked === undefined || now - asked < millis || now - this.repliedAt < millis) return false
    return this.bytesIn - this.repliedBytes < ((now - this.repliedAt) / 1000) * 1024
  }

  /** Whether a ping was sent after that moment. */
  hasPingedSince(moment: number): boolean {
    return (this.pings.at(-1) ?? this.pongedAt) > moment
  }

  /**
   * Whether a ping that was sent after that moment has been answered, and nothing has begun to come since: the server has
   * read all that was sent until then.
   */
  hasPongedSince(moment: number): boolean {
    return this.pongedAt > moment && this.splitter.pending === 0
  }

  /** Reads one batch of chunks. `before` gets its time, then `onFrame` gets every complete frame, and may throw. */
  read(
    onFrame: Frame.OnFrame,
    before: (now: number) => void
  ): Effect.Effect<void, TransportError | ProtocolViolation | Frame.FrameLengthError> {
    return Effect.flatMap(this.raw.pull, (chunks) => {
      const now = this.now()
      this.heardAt = now
      before(now)
      try {
        for (const chunk of chunks) {
          this.bytesIn += chunk.length
          if (this.splitter.push(chunk, onFrame)) this.raw.release?.(chunk)
        }
        return Effect.void
      } catch (error) {
        if (error instanceof ProtocolViolation || error instanceof Frame.FrameLengthError) return Effect.fail(error)
        // A defect of this library: the session goes on with another connection.
        const reason = "a defect while reading"
        return Effect.andThen(this.reportDefect(reason, error), Effect.fail(new ProtocolViolation(reason)))
      }
    })
  }
}
