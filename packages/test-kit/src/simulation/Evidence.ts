/**
 * What a simulated run shows of one client: gathered while it runs, judged by `verdict` and by the wiretap.
 *
 * @since 0.1.0
 */
import type { SessionState } from "@effect-zookeeper/session/SessionState"

/** A connection as the client's side of the network saw it. Times are virtual milliseconds. */
export interface Line {
  readonly server: string
  readonly dialledAt: number
  /** When the session was granted. */
  establishedAt: number | undefined
  /** When the dialling failed, the connection broke or the client left it. */
  endedAt: number | undefined
}

/** A value that was read or written, with the transaction that made it. */
export interface Sighting {
  readonly path: string
  readonly value: string
  readonly version: number
  readonly czxid: bigint
  readonly mzxid: bigint
}

/** What became of a write: done, certainly not done, or nobody knows. */
export type Fate = "done" | "not done" | "unknown"

/** A write and its place in the order in which things happened. */
export interface Write {
  readonly path: string
  readonly value: string
  readonly beganAt: number
  endedAt: number
  fate: Fate
  /** The transaction, where it was done. */
  mzxid: bigint
  readonly error: string
}

/** All about one client. */
export class Evidence {
  readonly client: string
  readonly lines: Array<Line> = []
  /** When bytes came in on a connection with a session. */
  readonly heard: Array<number> = []
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

/** What the scheduling of many fibers may cost, in milliseconds of virtual time. */
export const SLACK = 150

/** What all clients did together, and what was found wrong. */
export class Record {
  readonly writes: Array<Write> = []
  readonly sightings: Array<Sighting> = []
  readonly violations: Array<string> = []
  private clock = 0

  /** The next place in the order of things. */
  tick(): number {
    return ++this.clock
  }

  accuse(violation: string): void {
    this.violations.push(violation)
  }
}
