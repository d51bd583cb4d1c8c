import type { WallClock } from "../../WallClock.ts"

/** The proof that the ensemble holds the session: a commit by a quorum, or any answer of one server. */
export type ProofKind = "quorum" | "server"

/** A request that was sent and has been answered, so that the server has it. */
interface AnsweredRequest {
  /** When it was answered, in monotonic milliseconds. */
  readonly answeredAt: number
  /** When it was sent, with the leaps of the wall clock. */
  readonly elapsed: number
}

/**
 * Until when the ensemble must still hold the session.
 *
 * A server that is cut off from its ensemble answers pings and reads alone, so that only the answer to a request that a
 * quorum has committed proves anything. It proves that the session was held, and so that whatever the leader had heard of by
 * then prolonged it. The leader hears what a client has sent to a follower with its next ping to that follower, half a tick
 * later at most, and a timeout has two ticks at least. A proof that was sent at S therefore confirms what the same server had
 * answered a quarter of the timeout before S, and the handshake of the connection, which goes to the leader at once. What was
 * sent by then but not answered may have lain in the network and reached the server with the proof.
 */
export class OwnershipProofs {
  private readonly kind: ProofKind
  private readonly wallClock: WallClock
  private readonly marginOf: (timeout: number) => number
  /** The newest confirmed sending, with the leaps of the wall clock. */
  private confirmed: number
  /** When the handshake of this connection was sent, with the leaps of the wall clock. */
  private handshake: number | undefined
  /** Requests that were answered on this connection, and that a later proof may confirm. */
  private answeredRequests: Array<AnsweredRequest> = []
  private nextRememberedAt = Number.POSITIVE_INFINITY
  /** When the newest answered proof was sent and when it was answered, and when the newest was sent, on this connection. */
  private provedSentAt = Number.NEGATIVE_INFINITY
  private provedAt = Number.NEGATIVE_INFINITY
  private proofSentAt = Number.NEGATIVE_INFINITY
  /** Milliseconds, as negotiated. */
  private timeout: number
  private endedAt = Number.POSITIVE_INFINITY
  /** Whether there is a connection to a server that can prove something. */
  canProve = false

  constructor(kind: ProofKind, wallClock: WallClock, timeout: number, marginOf: (timeout: number) => number) {
    this.kind = kind
    this.wallClock = wallClock
    this.timeout = timeout
    this.marginOf = marginOf
    this.confirmed = -timeout
  }

  /** When ownership ends, in monotonic milliseconds. */
  get deadline(): number {
    return Math.min(this.confirmed - this.wallClock.leapt + this.timeout - this.marginOf(this.timeout), this.endedAt)
  }

  /**
   * There is a connection. `isAnother` says that it is another session than before, `isNew` that an ensemble has just made it,
   * which a quorum has committed.
   */
  connected(options: {
    readonly timeout: number
    readonly sentAt: number
    readonly now: number
    readonly isAnother: boolean
    readonly isNew: boolean
    readonly canProve: boolean
  }): void {
    const { canProve, isAnother, isNew, now, sentAt, timeout } = options
    this.timeout = timeout
    this.endedAt = Number.POSITIVE_INFINITY
    const handshake = this.wallClock.withLeaps(sentAt)
    // Nothing is known of a session that is resumed before something is proved.
    if (isAnother) this.confirmed = handshake - timeout
    this.handshake = handshake
    this.answeredRequests = []
    this.nextRememberedAt = now
    this.proofSentAt = this.provedSentAt = this.provedAt = Number.NEGATIVE_INFINITY
    this.canProve = this.kind === "quorum" && canProve
    if (this.kind === "server") this.confirm(handshake)
    else if (isNew && canProve) {
      this.provedSentAt = sentAt
      this.provedAt = now
      this.confirm(handshake)
    }
  }

  /** The connection is gone. */
  disconnected(): void {
    this.handshake = undefined
    this.answeredRequests = []
    this.nextRememberedAt = Number.POSITIVE_INFINITY
    this.canProve = false
  }

  /** The session is over: its deadline is not in the future any more. */
  ended(now: number): void {
    this.endedAt = Math.min(this.endedAt, now)
  }

  /** One of the session's own proofs is sent. */
  proofSent(at: number): void {
    this.proofSentAt = at
  }

  /** A request that was sent at `sentAt` was answered at `now`. Returns whether that has confirmed anything. */
  answered(sentAt: number, now: number, isCommitted: boolean): boolean {
    if (this.kind === "server") {
      this.confirm(this.wallClock.withLeaps(sentAt))
      return true
    }
    const { handshake } = this
    if (handshake === undefined) return false
    if (isCommitted) {
      if (sentAt >= this.provedSentAt) {
        this.provedSentAt = sentAt
        this.provedAt = now
      }
      this.confirm(handshake)
      for (const { answeredAt, elapsed } of this.answeredRequests)
        if (answeredAt <= sentAt - this.delay) this.confirm(elapsed)
    }
    // The session's own proofs confirm each other; of all other requests one in a sixteenth of the timeout is enough.
    if (now >= this.nextRememberedAt || sentAt === this.proofSentAt) this.remember(sentAt, now)
    return isCommitted
  }

  private remember(sentAt: number, now: number): void {
    this.nextRememberedAt = now + this.timeout / 16
    const { answeredRequests } = this
    answeredRequests.push({ answeredAt: now, elapsed: this.wallClock.withLeaps(sentAt) })
    // Proofs that are sent from now on confirm nothing older than the newest request that is old enough for them.
    while (answeredRequests.length > 1 && answeredRequests[1]!.answeredAt <= now - this.delay) answeredRequests.shift()
  }

  /** When the next proof has to be sent, in monotonic milliseconds; `isUrgent` if an effect waits for one. */
  nextProofAt(isUrgent: boolean): number {
    if (!this.canProve) return Number.POSITIVE_INFINITY
    // None is on its way.
    const isIdle = this.proofSentAt <= this.provedSentAt
    // Not in a busy loop, even if each one comes too late to begin anything.
    if (isUrgent && isIdle) return this.provedAt + this.timeout / 16
    if (!isIdle) return this.proofSentAt + this.interval
    const due = this.provedAt + this.interval
    // The first proof after a time without any may have confirmed an old request: newer ones are confirmed early.
    const left = this.deadline - due
    const usual = this.timeout - this.delay - this.marginOf(this.timeout) - this.interval
    if (left >= usual - this.timeout / 8) return due
    const unconfirmed = this.answeredRequests.find(({ elapsed }) => elapsed > this.confirmed)
    if (unconfirmed === undefined) return due
    return Math.min(due, Math.max(unconfirmed.answeredAt + this.delay, this.provedAt + this.timeout / 16))
  }

  /** How long a request may take to reach the leader. */
  private get delay(): number {
    return this.timeout / 4
  }

  /** A quarter of the timeout, or less where a large margin leaves so little time that a proof could come too late. */
  private get interval(): number {
    const spare = this.timeout - this.delay - this.marginOf(this.timeout)
    return this.delay / Math.max(1, Math.ceil((this.delay * 2) / spare))
  }

  private confirm(elapsed: number): void {
    if (elapsed > this.confirmed) this.confirmed = elapsed
  }
}
