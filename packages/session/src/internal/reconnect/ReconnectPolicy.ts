/** A connection that served for this many milliseconds was worth having: the next server may be tried at once. */
const MIN_LIFETIME = 1000

/** This many shorter connections may follow one another before the pauses count for them too. */
const MAX_SHORT_LIVED = 3

/** A connection that gave the session and was lost. */
export interface LostConnection {
  /** Whether the server has answered anything on it. */
  readonly hasAnswered: boolean
  /** Milliseconds since the handshake. */
  readonly lived: number
}

/** When the next round over the servers begins. */
export type RoundStart = "at once" | "after a pause"

/** What becomes of the pauses between rounds: they begin anew with the shortest, or go on growing. */
export type Pauses = "begin anew" | "go on"

/**
 * Decides when servers are tried again. It is told what happens, and knows neither time nor servers.
 *
 * A round goes over the list of servers until one of them gives the session. After a connection that worked, the first
 * round begins at once; before each other round that begins with the first server of the list there is a pause.
 * Connections that do not last must not become a busy loop, so that after a few of them there is a pause too.
 */
export class ReconnectPolicy {
  /** The next round begins at once, wherever it begins. */
  private isImmediate = true
  private isPauseDue = false
  private hasRoundFailed = false
  private shortLived = 0

  /** The list of servers has come round to its first one. */
  lapEnded(): void {
    if (!this.isImmediate) this.isPauseDue = true
  }

  /** A round begins. */
  beginRound(): RoundStart {
    const start = this.isPauseDue ? "after a pause" : "at once"
    this.isPauseDue = false
    this.isImmediate = false
    return start
  }

  /** Whether there are pauses between the servers of a round as well: from the second round on. */
  get pausesBetweenServers(): boolean {
    return this.hasRoundFailed
  }

  /** No server gave the session. */
  roundFailed(): void {
    this.hasRoundFailed = true
  }

  /** A server gave the session. */
  connected(): void {
    this.isPauseDue = false
    this.hasRoundFailed = false
  }

  /** The connection is lost. The next server is tried at once, unless this one answered nothing. */
  lost({ hasAnswered, lived }: LostConnection): Pauses {
    this.shortLived = lived >= MIN_LIFETIME ? 0 : this.shortLived + 1
    if (this.shortLived <= MAX_SHORT_LIVED) return this.beginAnew(hasAnswered)
    this.isPauseDue = true
    return "go on"
  }

  /**
   * The session has expired. A server that says so is there, and gives another session at once. An expiry because no server
   * was heard begins no new round: all clients of an ensemble that is away come to it at the same time.
   */
  expired(by: "server" | "silence"): Pauses {
    return by === "server" ? this.beginAnew(true) : "go on"
  }

  private beginAnew(isImmediate: boolean): Pauses {
    this.isImmediate = isImmediate
    this.isPauseDue = false
    this.hasRoundFailed = false
    return "begin anew"
  }
}
