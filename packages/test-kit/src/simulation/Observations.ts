/** The observations of one client in a simulated run, judged by `judge.ts` and by the frame recorder. */
import type { SessionState } from "@effect-zookeeper/session/SessionState"
import type { Line as HistoryLine } from "../history/History.ts"
import * as Recorder from "../history/Recorder.ts"

/** A connection as the client's side of the network saw it. Times are virtual milliseconds. */
export interface ObservedConnection {
  readonly server: string
  readonly dialledAt: number
  /** When the session was granted. */
  establishedAt: number | undefined
  /** When the dialling failed, the connection broke or the client left it. */
  endedAt: number | undefined
}

/** A pause of a client that looks for a server. Times are virtual milliseconds. */
export interface ObservedRetry {
  readonly at: number
  /** Which one it is since the schedule has begun. */
  readonly ordinal: number
  readonly millis: number
  /** How many connections were dialled before it. */
  readonly dialled: number
}

/** All about one client. */
export class Observations {
  readonly client: string
  readonly connections: Array<ObservedConnection> = []
  /** When bytes came in on a connection with a session. */
  readonly heard: Array<number> = []
  /** The pauses that the schedule gave. */
  readonly retries: Array<ObservedRetry> = []
  readonly states: Array<{ readonly at: number; readonly state: SessionState }> = []
  /** From when to when the process stood still. */
  readonly pauses: Array<{ readonly from: number; to: number }> = []
  /** When a server said that the session is over. */
  readonly expiredByServer: Array<number> = []
  /** The sessions that were granted, with their timeouts in milliseconds. */
  readonly sessions: Array<{ readonly id: bigint; readonly timeout: number; readonly at: number }> = []
  closedAt: number | undefined
  closedBy = Number.POSITIVE_INFINITY

  constructor(client: string) {
    this.client = client
  }

  /** Whether the process stood still in a span of time, or shortly before. */
  isExcused(from: number, to: number): boolean {
    return this.pauses.some((pause) => pause.from <= to && pause.to + SLACK >= from)
  }
}

/** The most that the scheduling of many fibers may cost, in milliseconds of virtual time. */
export const SLACK = 150

/** The operations of all clients together, and the rules that they broke. */
export class RunRecord {
  /** The history; a client's session stands for all of its sessions, for it never goes back in any of them. */
  readonly lines: Array<HistoryLine> = []
  readonly violations: Array<string> = []
  private count = 0

  /** Records the operations of a client. `now` are virtual milliseconds; what happens in the same one keeps its order. */
  recorder(client: string, now: () => number): Recorder.Recorder {
    return Recorder.make({
      client,
      session: () => client,
      now: () => now() * 1000 + ++this.count * 1e-7,
      write: (line) => this.lines.push(line)
    })
  }

  addViolation(violation: string): void {
    this.violations.push(violation)
  }
}
