import * as Printable from "@effect-zookeeper/protocol/Printable"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { Timer } from "../time/TimerQueue.ts"
import { withLogAnnotations } from "../logAnnotations.ts"
import type { ConnectAttempts } from "./ConnectAttempts.ts"
import type { SessionMachine } from "../SessionMachine.ts"

/** Milliseconds without a connection that nobody needs to hear of: another server is found in that time. */
const QUIET_PERIOD = 1000

/** Milliseconds after which it is said again that no server is reachable. */
const REPEAT_AFTER = 60_000

/** So many outages may be told of within `REPEAT_AFTER`; what is more is counted. */
const MAX_REPORTS = 5

/**
 * What operators see of an outage at the default level: that the connection is lost, that no server is reachable (again
 * each minute), and that it is back.
 */
export class OutageLog {
  private readonly machine: SessionMachine
  private readonly attempts: ConnectAttempts
  private readonly timer: Timer
  private lostAt: number | undefined
  private lostFrom: ServerAddress | undefined
  private reason = ""
  private isReported = false
  private unreachableAt = Number.NEGATIVE_INFINITY
  /** When outages were told of. */
  private reportedAt: Array<number> = []
  private unreported = 0

  constructor(machine: SessionMachine, attempts: ConnectAttempts) {
    this.machine = machine
    this.attempts = attempts
    this.timer = machine.timers.makeTimer()
  }

  /** The connection is lost. */
  lost(server: ServerAddress, reason: string): void {
    // A session that is being closed is looked for a server for a moment only.
    if (this.machine.closeCoordinator.isBegun) return
    const now = this.machine.liveness.now()
    this.lostAt = now
    this.lostFrom = server
    this.reason = reason
    this.unreachableAt = Number.NEGATIVE_INFINITY
    this.timer.set(now + QUIET_PERIOD, (at) => this.report(at))
  }

  /** A first connection is waited for, without an end that would say why there is none. */
  waitingForFirst(): void {
    if (this.lostAt !== undefined) return
    this.lostAt = this.machine.liveness.now()
    this.isReported = true
  }

  /** A round over all servers has found none. */
  noServerFound(): void {
    const now = this.machine.liveness.now()
    if (!this.isReported || now - this.unreachableAt < REPEAT_AFTER) return
    this.unreachableAt = now
    const seconds = secondsSince(this.lostAt ?? now, now)
    this.write(
      Effect.logWarning(`no ZooKeeper server is reachable since ${seconds} s; trying on (${this.attempts.summary})`)
    )
  }

  /** A server has given the session. */
  reconnected(server: ServerAddress): void {
    this.timer.clear()
    const now = this.machine.liveness.now()
    if (this.isReported && this.lostAt !== undefined) {
      const seconds = secondsSince(this.lostAt, now)
      this.write(Effect.logInfo(`connected again after ${seconds} s`), server)
    }
    this.isReported = false
    this.lostAt = undefined
  }

  private report(now: number): void {
    if (this.lostAt === undefined || this.machine.state.isFinal) return
    this.reportedAt = this.reportedAt.filter((at) => now - at < REPEAT_AFTER)
    if (this.reportedAt.length >= MAX_REPORTS) {
      this.unreported++
      return
    }
    const more = this.unreported === 0 ? "" : ` (and ${this.unreported} times more before)`
    this.unreported = 0
    this.reportedAt.push(now)
    this.isReported = true
    const message = `connection lost${more}: ${Printable.escapeAll(this.reason)}; looking for a server`
    this.write(Effect.logWarning(message), this.lostFrom)
  }

  private write(log: Effect.Effect<void>, server?: ServerAddress): void {
    Effect.runForkWith(this.machine.context)(withLogAnnotations(this.machine, server, log))
  }
}

const secondsSince = (from: number, now: number): string => ((now - from) / 1000).toFixed(1)
