import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as SessionMetrics from "../SessionMetrics.ts"
import type { SessionState } from "../SessionState.ts"

/** What a session counts, in plain numbers that only grow or that say what is now. */
export interface Readings {
  readonly requests: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly events: number
  readonly connectionsLost: number
  readonly sessionsExpired: number
  readonly inFlight: number
  readonly waiting: number
  readonly watches: number
}

const MAX_SAMPLES = 1024

const zero: Readings = {
  requests: 0,
  bytesSent: 0,
  bytesReceived: 0,
  events: 0,
  connectionsLost: 0,
  sessionsExpired: 0,
  inFlight: 0,
  waiting: 0,
  watches: 0
}

const names = Object.keys(zero) as ReadonlyArray<keyof Readings>

type State = SessionState["_tag"]

/** Carries the counts of one session over into the metrics of the process. */
export class Meter {
  private readonly context: Context.Context<never>
  private told = zero
  private state: State | undefined
  private samples: Array<number> = []

  /** `context` says which metrics the session's are. */
  constructor(context: Context.Context<never>) {
    this.context = context
  }

  /** A request took so many milliseconds. */
  sample(latency: number): void {
    if (this.samples.length < MAX_SAMPLES) this.samples.push(latency)
  }

  /** Adds to the metrics what is new since the last time. A session without a state is none any more. */
  report(readings: Readings, state: State | undefined): void {
    const { context, samples, told } = this
    for (const name of names) {
      const change = readings[name] - told[name]
      if (change !== 0) SessionMetrics[name].updateUnsafe(change, context)
    }
    if (samples.length > 0) {
      for (const latency of samples) SessionMetrics.latency.updateUnsafe(latency, context)
      this.samples = []
    }
    if (state !== this.state) {
      if (this.state !== undefined) inState[this.state].updateUnsafe(-1, context)
      if (state !== undefined) inState[state].updateUnsafe(1, context)
    }
    this.told = readings
    this.state = state
  }
}

const counted = (state: State) => Metric.withAttributes(SessionMetrics.sessions, { state })

const inState: Readonly<Record<State, typeof SessionMetrics.sessions>> = {
  Connecting: counted("Connecting"),
  Connected: counted("Connected"),
  Disconnected: counted("Disconnected"),
  EnsembleBehind: counted("EnsembleBehind"),
  Expired: counted("Expired"),
  AuthFailed: counted("AuthFailed"),
  Closed: counted("Closed")
}
