import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as SessionMetrics from "../../SessionMetrics.ts"
import type { SessionState } from "../../SessionState.ts"
import { durationBoundaries } from "./durationBoundaries.ts"

/** The counts of a session, which only grow. */
interface Totals {
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly events: number
  readonly connectionsLost: number
  readonly sessionsExpired: number
}

/** The values of this moment. */
interface Levels {
  readonly inFlight: number
  readonly waiting: number
  readonly watches: number
}

export type Readings = Totals & Levels

const MAX_SAMPLES = 1024

const zero: Readings = {
  bytesSent: 0,
  bytesReceived: 0,
  events: 0,
  connectionsLost: 0,
  sessionsExpired: 0,
  inFlight: 0,
  waiting: 0,
  watches: 0
}

const totals: ReadonlyArray<keyof Totals> = [
  "bytesSent",
  "bytesReceived",
  "events",
  "connectionsLost",
  "sessionsExpired"
]

const levels: ReadonlyArray<keyof Levels> = ["inFlight", "waiting", "watches"]

type State = SessionState["_tag"]

/** The answers to one operation since the last report. */
interface Tally {
  readonly operation: string
  succeeded: number
  /** By the name of the error; undefined for none. */
  failed: Map<string, number> | undefined
  /** Milliseconds. */
  latencies: Array<number>
}

/** Carries the counts of one session over into the metrics of the process. */
export class MetricsReporter {
  private readonly context: Context.Context<never>
  private reported = zero
  private state: State | undefined
  private readonly tallies = new Map<Operation.Any, Tally>()
  private samples = 0
  /** The tally of the operation that was answered last, which is often the next one's too. */
  private last: Tally | undefined
  private lastOperation: Operation.Any | undefined

  /** `context` has the registry of the metrics. */
  constructor(context: Context.Context<never>) {
    this.context = context
  }

  /** A request was answered after so many milliseconds. */
  answered(operation: Operation.Any, code: number, latency: number): void {
    const tally = operation === this.lastOperation ? this.last! : this.tally(operation)
    if (code === 0) tally.succeeded++
    else {
      const outcome = outcomeOf(code)
      tally.failed ??= new Map()
      tally.failed.set(outcome, (tally.failed.get(outcome) ?? 0) + 1)
    }
    if (this.samples < MAX_SAMPLES) {
      this.samples++
      tally.latencies.push(latency)
    }
  }

  private tally(operation: Operation.Any): Tally {
    let tally = this.tallies.get(operation)
    if (tally === undefined) {
      tally = { operation: operation.name, succeeded: 0, failed: undefined, latencies: [] }
      this.tallies.set(operation, tally)
    }
    this.last = tally
    this.lastOperation = operation
    return tally
  }

  /** Adds the changes since the last report to the metrics. A session without a state is no longer counted. */
  report(readings: Readings, state: State | undefined): void {
    const { context, reported } = this
    for (const name of totals) {
      const change = readings[name] - reported[name]
      if (change !== 0) SessionMetrics[name].updateUnsafe(change, context)
    }
    for (const name of levels) {
      const change = readings[name] - reported[name]
      if (change !== 0) SessionMetrics[name].modifyUnsafe(change, context)
    }
    for (const tally of this.tallies.values()) this.reportTally(tally)
    this.samples = 0
    if (state !== this.state) {
      if (this.state !== undefined) inState[this.state].modifyUnsafe(-1, context)
      if (state !== undefined) inState[state].modifyUnsafe(1, context)
    }
    this.reported = readings
    this.state = state
  }

  private reportTally(tally: Tally): void {
    const { context } = this
    const { failed, latencies, operation, succeeded } = tally
    if (succeeded > 0) {
      answers(operation, "Ok").updateUnsafe(succeeded, context)
      tally.succeeded = 0
    }
    if (failed !== undefined) {
      for (const [outcome, count] of failed) answers(operation, outcome).updateUnsafe(count, context)
      tally.failed = undefined
    }
    if (latencies.length > 0) {
      const duration = durationOf(operation)
      for (const latency of latencies) duration.updateUnsafe(latency / 1000, context)
      tally.latencies = []
    }
  }
}

/**
 * A time series of a counter, gauge or histogram. It has an instance of the metric for itself, which keeps the key of the attributes
 * that it was used with last: on a shared one each report of each session would make that key anew.
 */
const counterOf = ({ description, id }: typeof SessionMetrics.requests, attributes: Metric.Metric.AttributeSet) =>
  Metric.withAttributes(Metric.counter(id, { description, incremental: true }), attributes)

const gaugeOf = ({ description, id }: typeof SessionMetrics.sessions, attributes: Metric.Metric.AttributeSet) =>
  Metric.withAttributes(Metric.gauge(id, { description }), attributes)

/** By operation, then by outcome; one for all sessions: operations and outcomes are few. */
const answersBy = new Map<string, Map<string, ReturnType<typeof counterOf>>>()

const answers = (operation: string, outcome: string) => {
  let ofOperation = answersBy.get(operation)
  if (ofOperation === undefined) {
    ofOperation = new Map()
    answersBy.set(operation, ofOperation)
  }
  let counter = ofOperation.get(outcome)
  if (counter === undefined) {
    counter = counterOf(SessionMetrics.requests, { operation, outcome })
    ofOperation.set(outcome, counter)
  }
  return counter
}

const durations = new Map<string, typeof SessionMetrics.duration>()

const durationOf = (operation: string) => {
  let duration = durations.get(operation)
  if (duration === undefined) {
    const { attributes, description, id } = SessionMetrics.duration
    const own = Metric.histogram(id, { description, attributes, boundaries: durationBoundaries })
    duration = Metric.withAttributes(own, { operation })
    durations.set(operation, duration)
  }
  return duration
}

/** A server may send any number; there are only so many time series. */
const outcomeOf = (code: number): string => {
  const name = ErrorCode.nameOf(code)
  return name.startsWith("Unknown") ? "Unknown" : name
}

const counted = (state: State) => gaugeOf(SessionMetrics.sessions, { state })

const inState = {
  Connecting: counted("Connecting"),
  Connected: counted("Connected"),
  Disconnected: counted("Disconnected"),
  EnsembleBehind: counted("EnsembleBehind"),
  Expired: counted("Expired"),
  AuthFailed: counted("AuthFailed"),
  Closed: counted("Closed")
} satisfies Record<State, unknown>
