import * as Printable from "@effect-zookeeper/protocol/Printable"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { SessionLog } from "../SessionLog.ts"
import type { Timer, TimerQueue } from "../time/TimerQueue.ts"
import type { ConnectAttempts } from "./ConnectAttempts.ts"

/** Milliseconds without a connection that are not reported: nearly always another server is found in that time. */
const QUIET_PERIOD = 1000

/** Milliseconds after which it is reported again that no server is reachable. */
const REPEAT_AFTER = 60_000

/** This many outages are reported within `REPEAT_AFTER`. One more waits until it may be, and is only counted if it ends before. */
const MAX_REPORTS = 5

/** The parts of a session that an outage concerns. */
export interface OutageParts {
  readonly timers: TimerQueue
  readonly log: SessionLog
  readonly attempts: ConnectAttempts
  /** Whether an outage is worth reporting: the session is not over, and not being closed. */
  readonly session: { readonly isFinal: boolean; readonly closeCoordinator: { readonly isBegun: boolean } }
}

/**
 * Reports an outage to operators at the default level of the log: that the connection is lost, that no server is reachable
 * (again each minute), and that the session is connected again.
 */
export class OutageLog {
  private readonly parts: OutageParts
  private readonly timer: Timer
  private lostAt: number | undefined
  private lostFrom: ServerAddress | undefined
  private reason = ""
  private isReported = false
  /** Whether this outage would have been reported, but there were too many before. */
  private isPutOff = false
  private unreachableAt = Number.NEGATIVE_INFINITY
  /** When outages were reported, in monotonic milliseconds. */
  private reportedAt: Array<number> = []
  private unreported = 0

  constructor(parts: OutageParts) {
    this.parts = parts
    this.timer = parts.timers.makeTimer()
  }

  /** The connection is lost. */
  lost(server: ServerAddress, reason: string): void {
    // The search for a server takes only a moment while the session is being closed.
    if (this.parts.session.closeCoordinator.isBegun) return
    const now = this.parts.timers.now()
    this.lostAt = now
    this.lostFrom = server
    this.reason = reason
    this.unreachableAt = Number.NEGATIVE_INFINITY
    this.timer.set(now + QUIET_PERIOD, (at) => this.report(at))
  }

  /** There is no time limit for the first connection, whose error would say why there is none. */
  waitingForFirst(): void {
    if (this.lostAt !== undefined) return
    this.lostAt = this.parts.timers.now()
    this.isReported = true
  }

  /** A round over all servers has found none. */
  noServerFound(): void {
    const now = this.parts.timers.now()
    if (!this.isReported || now - this.unreachableAt < REPEAT_AFTER) return
    this.unreachableAt = now
    const seconds = secondsSince(this.lostAt ?? now, now)
    this.write(
      Effect.logWarning(
        `no ZooKeeper server is reachable since ${seconds} s; trying on (${this.parts.attempts.summary})`
      )
    )
  }

  /** A server has given the session. */
  reconnected(server: ServerAddress): void {
    this.timer.clear()
    const now = this.parts.timers.now()
    const isFirst = this.lostFrom === undefined
    // A first connection that found a server in its first round is no news.
    const wasTold = this.isReported && (!isFirst || this.unreachableAt > Number.NEGATIVE_INFINITY)
    if (wasTold && this.lostAt !== undefined) {
      const seconds = secondsSince(this.lostAt, now)
      this.write(Effect.logInfo(`connected ${isFirst ? "" : "again "}after ${seconds} s`), server)
    }
    if (this.isPutOff) this.unreported++
    this.isPutOff = false
    this.isReported = false
    this.lostAt = undefined
  }

  private report(now: number): void {
    if (this.lostAt === undefined || this.parts.session.isFinal) return
    this.reportedAt = this.reportedAt.filter((at) => now - at < REPEAT_AFTER)
    const [oldest] = this.reportedAt
    this.isPutOff = oldest !== undefined && this.reportedAt.length >= MAX_REPORTS
    if (oldest !== undefined && this.isPutOff) {
      this.timer.set(oldest + REPEAT_AFTER, (at) => this.report(at))
      return
    }
    const more = this.unreported === 0 ? "" : ` (and ${this.unreported} times more before)`
    this.unreported = 0
    this.reportedAt.push(now)
    this.isReported = true
    const message = `connection lost${more}: ${Printable.escapeAll(this.reason)}; looking for a server`
    this.write(Effect.logWarning(message), this.lostFrom)
  }

  private write(line: Effect.Effect<void>, server?: ServerAddress): void {
    this.parts.log.write(server, line)
  }
}

const secondsSince = (from: number, now: number): string => ((now - from) / 1000).toFixed(1)
