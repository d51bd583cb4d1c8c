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
import type { Outlet } from "./Exchange.ts"
import { Violation } from "./Violation.ts"

/** Who is told of what is written: when bytes are about to be handed over, when they have been, and when that failed. */
export interface Writing {
  readonly onTake: (now: number) => void
  readonly onTaken: () => void
  readonly onEnd: (cause: Cause.Cause<TransportError>) => void
}

/** What a connection leaves to the session that stands on it. */
export interface LinkOptions {
  readonly connection: Connection
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  readonly maxFrameSize: number
  /** Events are no larger than the requests that named their paths, and come whether anybody asks or not. */
  readonly maxEventSize: number
  readonly now: () => number
  /** What writes run in. */
  readonly context: Context.Context<never>
  /** Tells of a mistake of ours. */
  readonly reportDefect: (reason: string, defect: unknown) => Effect.Effect<void>
}

/**
 * One connection that a session stands on: what is to be written, gathered until the end of the turn, and what is read,
 * cut into frames.
 */
export class Link implements Outlet {
  readonly connection: Connection
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  readonly writer = new JuteWriter(1024)
  private readonly splitter: Frame.FrameSplitter
  private readonly maxEventSize: number
  private readonly now: () => number
  private readonly context: Context.Context<never>
  private readonly reportDefect: LinkOptions["reportDefect"]
  private scheduled = false
  private turn = 0
  private writing: Fiber.Fiber<never, TransportError> | undefined
  private wakeWriter: (() => void) | undefined
  private told: Writing | undefined
  /** What is left of a write that was begun within a turn: the writer's fiber waits for it. */
  private rest: Effect.Effect<void, TransportError> | undefined
  /** When the pings that are on their way were sent. */
  private readonly pings: Array<number> = []
  /** When the last ping that was answered was sent. */
  private pongedAt = Number.NEGATIVE_INFINITY
  /** When a byte came in last, in monotonic milliseconds. */
  heardAt: number
  /** When something was written last, in monotonic milliseconds. */
  wroteAt: number
  /** Whether anything that was asked on it has been answered, registering watches not counted. */
  answered = false
  /** When a request or ping was answered last, in monotonic milliseconds, and how many bytes had come in by then. */
  private repliedAt: number
  private repliedBytes = 0
  bytesIn = 0
  bytesOut = 0

  constructor({ connection, context, maxEventSize, maxFrameSize, now, reportDefect, server }: LinkOptions) {
    this.connection = connection
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

  /** Sees to it that what was written leaves at the end of the turn. The time of this turn, in monotonic milliseconds. */
  schedule(): number {
    if (!this.scheduled) {
      this.scheduled = true
      this.turn = this.now()
      this.connection.defer(this.flush)
    }
    return this.turn
  }

  private readonly flush = (): void => {
    this.scheduled = false
    // While the writer's fiber is busy it will see by itself what has come.
    if (this.wakeWriter === undefined || this.writeNow()) return
    const wake = this.wakeWriter
    this.wakeWriter = undefined
    wake?.()
  }

  /** Writes at the end of a turn, without a fiber: whether nothing is left to wait for, as nearly always. */
  private writeNow(): boolean {
    const { writeNow } = this.connection
    if (writeNow === undefined || this.writer.length === 0) return false
    try {
      const bytes = this.take()
      const rest = writeNow(bytes)
      if (rest === undefined) {
        this.taken(bytes)
        return true
      }
      this.rest = Effect.map(rest, () => this.taken(bytes))
    } catch (defect) {
      this.rest = Effect.die(defect)
    }
    return false
  }

  private take(): Uint8Array<ArrayBuffer> {
    this.wroteAt = this.now()
    this.told?.onTake(this.wroteAt)
    const bytes = this.writer.take()
    this.bytesOut += bytes.length
    return bytes
  }

  private taken(bytes: Uint8Array<ArrayBuffer>): void {
    // They are ours again.
    this.writer.giveBack(bytes)
    this.told?.onTaken()
  }

  private readonly awaitWork: Effect.Effect<void> = Effect.callback((resume) => {
    // A fiber may give way between its look at the writer and this: what came meanwhile and has had its turn wakes nobody.
    if (this.writer.length > 0 && !this.scheduled) return resume(Effect.void)
    this.wakeWriter = () => resume(Effect.void)
    return Effect.sync(() => {
      this.wakeWriter = undefined
    })
  })

  /** The session stands on it: from now on events may come, and what is written leaves, until the connection breaks or `stopWriting`. */
  startWriting(told: Writing): void {
    this.told = told
    // No frame of a handshake is one.
    this.splitter.eventLimit = this.maxEventSize
    const pass = Effect.suspend(() => {
      const { rest } = this
      this.rest = undefined
      if (rest !== undefined) return rest
      if (this.writer.length === 0) return this.awaitWork
      const bytes = this.take()
      return Effect.map(this.connection.write(bytes), () => this.taken(bytes))
    })
    const writing = Effect.forever(pass, { disableYield: true })
    this.writing = Effect.runForkWith(this.context)(writing)
    this.writing.addObserver((exit) => {
      // Nobody asks how it ended once it was to end.
      if (this.writing !== undefined && Exit.isFailure(exit)) told.onEnd(exit.cause)
    })
  }

  /** Nothing leaves any more. */
  readonly stopWriting: Effect.Effect<void> = Effect.suspend(() => {
    const { writing } = this
    this.writing = undefined
    return writing === undefined ? Effect.void : Fiber.interrupt(writing)
  })

  /** Asks for a sign of life. */
  ping(): void {
    Frame.append(this.writer, (writer) => {
      writer.int(Operations.Xid.ping)
      writer.int(Operations.ping.opCode)
    })
    this.pings.push(this.schedule())
  }

  /** The oldest ping is answered: when it was sent. Throws `Violation` where there is none. */
  pong(): number {
    const sentAt = this.pings.shift()
    if (sentAt === undefined) throw new Violation("the answer to a ping that was not sent")
    this.pongedAt = sentAt
    return sentAt
  }

  // ---------------------------------------------------------------------------
  // reading
  // ---------------------------------------------------------------------------

  /** Something that was asked has been answered. */
  replied(): void {
    this.repliedAt = this.heardAt
    this.repliedBytes = this.bytesIn
  }

  /**
   * Whether the server talks without ever answering: a ping and all else has waited for `millis`, and less than a
   * kilobyte a second came meanwhile, so that it is no large reply on a slow network either.
   */
  isCrawling(now: number, millis: number): boolean {
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

  /** Reads one batch of chunks and gives every complete frame to `onFrame`, which may throw. The time of the batch. */
  read(
    onFrame: Frame.OnFrame,
    before: (now: number) => void
  ): Effect.Effect<void, TransportError | Violation | Frame.FrameLengthError> {
    return Effect.flatMap(this.connection.pull, (chunks) => {
      const now = this.now()
      this.heardAt = now
      before(now)
      try {
        for (const chunk of chunks) {
          this.bytesIn += chunk.length
          if (this.splitter.push(chunk, onFrame)) this.connection.release?.(chunk)
        }
        return Effect.void
      } catch (error) {
        if (error instanceof Violation || error instanceof Frame.FrameLengthError) return Effect.fail(error)
        // A mistake of ours; the session goes on with another connection.
        const reason = "a defect while reading"
        return Effect.andThen(this.reportDefect(reason, error), Effect.fail(new Violation(reason)))
      }
    })
  }
}
