import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as SessionMetrics from "../SessionMetrics.ts"

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

/** Carries the counts of one session over into the metrics of the process. */
export class Meter {
  private told = zero
  private state: string | undefined
  private samples: Array<number> = []

  /** A request took so many milliseconds. */
  sample(latency: number): void {
    if (this.samples.length < MAX_SAMPLES) this.samples.push(latency)
  }

  /**
   * Adds to the metrics what is new since the last time. A session without a state is none any more. It is read in the
   * very moment in which it is compared, and then not interrupted: what was taken for told and was not, or was told late,
   * would be wrong in the metrics for ever.
   */
  report(read: () => { readonly readings: Readings; readonly state: string | undefined }): Effect.Effect<void> {
    return Effect.uninterruptible(
      Effect.suspend(() => {
        const { readings, state } = read()
        const updates: Array<Effect.Effect<void>> = []
        for (const name of Object.keys(zero) as Array<keyof Readings>) {
          const change = readings[name] - this.told[name]
          if (change !== 0) updates.push(Metric.update(SessionMetrics[name], change))
        }
        for (const latency of this.samples) updates.push(Metric.update(SessionMetrics.latency, latency))
        if (state !== this.state) {
          if (this.state !== undefined) updates.push(Metric.update(inState(this.state), -1))
          if (state !== undefined) updates.push(Metric.update(inState(state), 1))
        }
        this.told = readings
        this.samples = []
        this.state = state
        return Effect.all(updates, { discard: true })
      })
    )
  }
}

const inState = (state: string) => Metric.withAttributes(SessionMetrics.sessions, { state })
