import { format } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { OldestUnanswered } from "../requests/RequestPipeline.ts"
import type { SessionLog } from "../SessionLog.ts"
import type { Liveness } from "../time/Liveness.ts"
import { STALL, type Timer } from "../time/TimerQueue.ts"
import type { FramedConnection } from "./FramedConnection.ts"

/** Ends the use of a connection. A reason that throws is a defect. */
export type Leave = (reason: () => string) => void

/** The parts of a session that a heartbeat works with. */
export interface HeartbeatParts {
  readonly heartbeatTimer: Timer
  readonly liveness: Pick<Liveness, "now" | "proofDue" | "proofSent" | "timeout">
  /** The oldest request or credentials without an answer, pings apart. */
  readonly oldestUnanswered: () => OldestUnanswered | undefined
  /** Sends a transaction that changes nothing. */
  readonly sendProof: () => void
  /** Brings the metrics up to date. */
  readonly report: () => void
  readonly log: SessionLog
}

/**
 * Keeps one connection alive, and leaves it when its server does not answer.
 *
 * It pings when nothing was written for a third of the timeout, and leaves when nothing came for two thirds: the rest of
 * the session's time is there to find another server. It also leaves after two timeouts with a server that answers pings
 * but not the oldest request. A time in which this process was stopped, and neither asked nor read, is not the server's
 * silence: the server has a sixth of the timeout from then on to answer.
 *
 * While an application owns something by the session, a transaction that changes nothing takes the place of the ping, four
 * times in each timeout: its answer proves that a quorum holds the session.
 */
export class Heartbeat {
  private readonly connection: FramedConnection
  private readonly parts: HeartbeatParts
  /** Undefined before the start and after the stop. */
  private leave: Leave | undefined
  private pingedAt = Number.NEGATIVE_INFINITY
  /** When the next look is due. */
  private dueAt = Number.POSITIVE_INFINITY
  /** Until when silence does not count, because this process was stopped. */
  private excusedUntil = Number.NEGATIVE_INFINITY

  constructor(connection: FramedConnection, parts: HeartbeatParts) {
    this.connection = connection
    this.parts = parts
  }

  /** Begins, with a first look at once. */
  start(leave: Leave): void {
    this.leave = leave
    this.check()
  }

  /** Ends. Later looks do nothing. */
  stop(): void {
    this.leave = undefined
    this.parts.heartbeatTimer.clear()
  }

  /** Looks at once whether a ping or a proof is due. */
  check(): void {
    if (this.leave !== undefined) this.look(this.parts.liveness.now())
  }

  /** Has the next look come by then. */
  checkBy(at: number): void {
    if (at < this.parts.heartbeatTimer.at) this.check()
  }

  private readonly look = (now: number): void => {
    const { connection, leave } = this
    if (leave === undefined) return
    const { heartbeatTimer, liveness, report } = this.parts
    if (now >= liveness.proofDue) {
      liveness.proofSent(liveness.now())
      const { length } = connection.writer
      this.parts.sendProof()
      // A proof is a sign of life as well, unless it has to wait: for an answer to credentials, for example.
      if (connection.writer.length > length) this.pingedAt = now
    }
    const silentAfter = (liveness.timeout * 2) / 3
    const pingAfter = liveness.timeout / 3
    const silent = now - connection.heardAt
    if (now - this.dueAt >= STALL) {
      this.excusedUntil = now + liveness.timeout / 6
      this.ping(now)
    }
    if (silent >= silentAfter && now >= this.excusedUntil)
      return leave(() => `${format(connection.server)}: silent for ${Math.round(silent)} ms`)
    // Any byte is a sign of life, but a server that goes on talking and answers nothing is of no use.
    if (connection.isUnresponsive(now, liveness.timeout * 2)) {
      return leave(
        () => `${format(connection.server)}: nothing was answered for ${Math.round(liveness.timeout * 2)} ms`
      )
    }
    const oldest = this.parts.oldestUnanswered()
    if (oldest !== undefined && now - oldest.since >= liveness.timeout) {
      if (now - oldest.since >= liveness.timeout * 2 && connection.hasPongedSince(oldest.since)) {
        const message = unansweredMessage(connection, oldest, now)
        this.parts.log.write(connection.server, Effect.logWarning(message))
        return leave(() => message)
      }
      // Even if much is written, only the answer to a ping tells that the server has read the request.
      if (!connection.hasPingedSince(oldest.since)) this.ping(now)
    }
    const idle = now - Math.max(connection.wroteAt, this.pingedAt)
    let nextPing = pingAfter - idle
    if (nextPing <= 0) {
      nextPing = pingAfter
      this.ping(now)
    }
    report()
    const judgeAt = Math.max(now + silentAfter - silent, this.excusedUntil)
    this.dueAt = now + Math.max(1, Math.min(judgeAt - now, nextPing, liveness.proofDue - now))
    heartbeatTimer.set(this.dueAt, this.look)
  }

  private ping(now: number): void {
    this.pingedAt = now
    this.connection.ping()
  }
}

const unansweredMessage = (connection: FramedConnection, { operation, since }: OldestUnanswered, now: number): string =>
  `${format(connection.server)}: pings are answered, but the oldest request (${operation}) has not been for ${Math.round(now - since)} ms, twice the session timeout; another server is tried`
