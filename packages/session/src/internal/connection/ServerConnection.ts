import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { FrameLengthError } from "@effect-zookeeper/protocol/Frame"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { RequestPipeline } from "../requests/RequestPipeline.ts"
import type { Liveness } from "../time/Liveness.ts"
import type { Timer } from "../time/TimerQueue.ts"
import type { FramedConnection } from "./FramedConnection.ts"
import type { HandshakeResult } from "./handshake.ts"
import { Heartbeat, type HeartbeatParts, type Leave } from "./Heartbeat.ts"

/** How long an orderly departure waits for the replies that are on their way, in milliseconds. */
const DRAIN = 1000

/** The parts of a session that each of its connections works with. */
export interface ConnectionParts extends HeartbeatParts {
  readonly pipeline: Pick<RequestPipeline, "drain" | "markHandedOver" | "pump" | "refuseReply">
  readonly liveness: Liveness
  /** Limits the time of an orderly departure. */
  readonly leaveTimer: Timer
  /** Takes a frame. Throws `ProtocolViolation`. */
  readonly handleFrame: (connection: ServerConnection, bytes: Uint8Array, start: number, end: number) => void
  /** Completes when a server with a quorum has been found; it is the next to be tried then. */
  readonly findWritableServer: Effect.Effect<void>
}

/**
 * One connection that serves the session, from the handshake until it is lost or left. Everything that is true of one
 * connection only is in this object, and is gone with it.
 */
export class ServerConnection {
  readonly framed: FramedConnection
  /** The server as the connect string names it. */
  readonly server: ServerAddress
  /** The server's answer to the handshake. */
  readonly response: Handshake.ConnectResponse
  /** When the handshake was sent, in monotonic milliseconds. */
  readonly sentAt: number
  readonly isReadOnly: boolean
  /** Whether it serves reads under a session of the server's own, while the real session waits for a quorum. */
  readonly isProvisional: boolean
  /** Whether the server is ClickHouse Keeper: every ZooKeeper says at the handshake whether it serves reads only. */
  readonly isKeeper: boolean
  readonly heartbeat: Heartbeat
  /** Whether the session uses it: from the moment at which auth infos are sent, until it is lost or the session is closed. */
  isInUse = false
  /** Whether the server has answered anything, the registration of watches not counted. */
  hasAnswered = false
  /** Whether the server has said that the session has expired. */
  isSessionExpired = false
  private readonly parts: ConnectionParts
  /** Undefined before `serve` and after `end`. */
  private leave: Leave | undefined
  private isLeaving = false

  constructor(parts: ConnectionParts, handshake: HandshakeResult, isProvisional: boolean) {
    const { connection, response, sentAt } = handshake
    this.parts = parts
    this.framed = connection
    this.server = connection.server
    this.response = response
    this.sentAt = sentAt
    this.isReadOnly = response.readOnly === true
    this.isProvisional = isProvisional
    this.isKeeper = response.readOnly === undefined
    this.heartbeat = new Heartbeat(connection, parts)
  }

  /**
   * Reads frames until nothing more can be read, and says why. `leave` is for everything else that ends the connection: a
   * failed write, a silent server, an orderly departure. These are callbacks and take no fibers.
   */
  serve(leave: Leave): Effect.Effect<string> {
    return Effect.suspend(() => {
      const { pipeline } = this.parts
      this.framed.startWriting({
        onWrite: (now) => pipeline.markHandedOver(now),
        onWritten: () => pipeline.pump(),
        onWriteFailed: (cause) => leave(() => messageOf(cause))
      })
      this.heartbeat.start(leave)
      this.leave = leave
      if (this.isLeaving) this.drain(leave)
      const reading = this.readFrames()
      return this.isReadOnly ? Effect.raceFirst(reading, this.leaveForWritable) : reading
    })
  }

  /** Leaves at once, if it serves. */
  leaveNow(reason: () => string): void {
    this.leave?.(reason)
  }

  /** Leaves in good order, at once or as soon as it serves: requests in flight may still be answered. */
  leaveInGoodOrder(): void {
    if (this.isLeaving) return
    this.isLeaving = true
    if (this.leave !== undefined) this.drain(this.leave)
  }

  /** It is lost or left: nothing of it goes on. */
  end(): void {
    this.leave = undefined
    this.parts.leaveTimer.clear()
    this.heartbeat.stop()
  }

  private readFrames(): Effect.Effect<string> {
    const { handleFrame, liveness, pipeline } = this.parts
    const batch = this.framed.read(
      (bytes, start, end) => handleFrame(this, bytes, start, end),
      (now) => {
        // Before any of the replies is believed.
        liveness.checkWallClock(now)
        if (!this.isProvisional) liveness.heard(now)
      }
    )
    return Effect.catch(Effect.forever(batch, { disableYield: true }), (error) => {
      // A negative length tells of a broken stream, not of a large reply.
      if (error instanceof FrameLengthError && error.length > 0) pipeline.refuseReply(error)
      return Effect.succeed(error.message)
    })
  }

  private drain(leave: Leave): void {
    const { leaveTimer, liveness, pipeline } = this.parts
    const drained = () => leave(() => "the session moves to another server")
    leaveTimer.set(liveness.now() + DRAIN, drained)
    pipeline.drain(drained)
  }

  /** Looks for a server with a quorum, and leaves for it. */
  private get leaveForWritable(): Effect.Effect<never> {
    return Effect.andThen(
      this.parts.findWritableServer,
      Effect.suspend(() => {
        this.leaveInGoodOrder()
        return Effect.never
      })
    )
  }
}

const messageOf = (cause: Cause.Cause<TransportError>): string => {
  const error = Cause.squash(cause)
  if (error instanceof TransportError) return error.message
  throw error
}
