import * as Printable from "@effect-zookeeper/protocol/Printable"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { Timer } from "./Alarm.ts"
import { annotated } from "./annotated.ts"
import type { Attempts } from "./Attempts.ts"
import type { SessionCore } from "./SessionCore.ts"

/** Milliseconds without a connection that nobody needs to hear of: another server is found in that time. */
const SHORT = 1000

/** Milliseconds after which it is said again that no server is reachable. */
const AGAIN = 60_000

/** So many outages may be told of within `AGAIN`; what is more is counted. */
const MAX = 5

/**
 * What operators see of an outage at the default level: that the connection is lost, that no server is reachable (again
 * each minute), and that it is back.
 */
export class OutageLog {
  private readonly core: SessionCore
  private readonly attempts: Attempts
  private readonly timer: Timer
  private lostAt: number | undefined
  private lostFrom: ServerAddress | undefined
  private reason = ""
  private isTold = false
  private unreachableAt = Number.NEGATIVE_INFINITY
  /** When outages were told of. */
  private told: Array<number> = []
  private untold = 0

  constructor(core: SessionCore, attempts: Attempts) {
    this.core = core
    this.attempts = attempts
    this.timer = core.alarm.timer()
  }

  /** The connection is lost. */
  lost(server: ServerAddress, reason: string): void {
    // A session that is being closed is looked for a server for a moment only.
    if (this.core.closing.isBegun) return
    const now = this.core.liveness.now()
    this.lostAt = now
    this.lostFrom = server
    this.reason = reason
    this.unreachableAt = Number.NEGATIVE_INFINITY
    this.timer.set(now + SHORT, (at) => this.tell(at))
  }

  /** A first connection is waited for, without an end that would say why there is none. */
  waits(): void {
    if (this.lostAt !== undefined) return
    this.lostAt = this.core.liveness.now()
    this.isTold = true
  }

  /** A round over all servers has found none. */
  foundNone(): void {
    const now = this.core.liveness.now()
    if (!this.isTold || now - this.unreachableAt < AGAIN) return
    this.unreachableAt = now
    const seconds = secondsSince(this.lostAt ?? now, now)
    this.write(
      Effect.logWarning(`no ZooKeeper server is reachable since ${seconds} s; trying on (${this.attempts.summary})`)
    )
  }

  /** A server has given the session. */
  back(server: ServerAddress): void {
    this.timer.clear()
    const now = this.core.liveness.now()
    if (this.isTold && this.lostAt !== undefined) {
      const seconds = secondsSince(this.lostAt, now)
      this.write(Effect.logInfo(`connected again after ${seconds} s`), server)
    }
    this.isTold = false
    this.lostAt = undefined
  }

  private tell(now: number): void {
    if (this.lostAt === undefined || this.core.state.isFinal) return
    this.told = this.told.filter((at) => now - at < AGAIN)
    if (this.told.length >= MAX) {
      this.untold++
      return
    }
    const more = this.untold === 0 ? "" : ` (and ${this.untold} times more before)`
    this.untold = 0
    this.told.push(now)
    this.isTold = true
    const message = `connection lost${more}: ${Printable.escapeAll(this.reason)}; looking for a server`
    this.write(Effect.logWarning(message), this.lostFrom)
  }

  private write(log: Effect.Effect<void>, server?: ServerAddress): void {
    Effect.runForkWith(this.core.context)(annotated(this.core, server, log))
  }
}

const secondsSince = (from: number, now: number): string => ((now - from) / 1000).toFixed(1)
