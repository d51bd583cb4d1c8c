import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { OwnershipLost } from "../../SessionError.ts"
import type { TimerQueue, Timer } from "./TimerQueue.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { Ownership } from "../ownership/Ownership.ts"
import { type ProofKind, OwnershipProofs } from "../ownership/OwnershipProofs.ts"
import { WallClock } from "../../WallClock.ts"

/** The options that decide how long a session lives. */
export interface LivenessOptions {
  readonly clock: Clock.Clock
  readonly timers: TimerQueue
  /** Milliseconds. */
  readonly sessionTimeout: number
  readonly ownershipMargin: (timeout: number) => number
  readonly ownershipProof: ProofKind
  readonly guardCallback: GuardCallback
}

/**
 * The two clocks of a session, both monotonic.
 *
 * *Last heard* says how long the servers have been silent: after 4/3 of the timeout the session counts as expired, because
 * no server tells a client that is cut off. *Last confirmed* says until when the ensemble must still have the session
 * (`OwnershipProofs`): ownership ends a margin before that (`Ownership`).
 */
export class Liveness {
  private readonly timers: TimerQueue
  private readonly wallClock: WallClock
  private readonly proofs: OwnershipProofs
  private readonly owners: Ownership
  private lastHeard = 0
  private readonly expiryTimer: Timer
  private readonly wallClockTimer: Timer
  /** Whether there is a session that can expire. */
  private canExpire = false
  private hasEnded = false
  /** Milliseconds, as negotiated. */
  timeout: number
  /** Runs when the session counts as expired. */
  onExpired: (() => void) | undefined
  /** Runs when the machine may have slept, and a sign of life is due. */
  onMachineSlept: (() => void) | undefined
  /** Runs when a proof is due sooner than before. */
  onProofNeeded: (() => void) | undefined
  /** Fails when ownership ends: at the deadline, or with the session. */
  readonly ownership: Effect.Effect<never, OwnershipLost>

  constructor({ timers, guardCallback, clock, ownershipMargin, ownershipProof, sessionTimeout }: LivenessOptions) {
    this.timers = timers
    this.expiryTimer = timers.makeTimer()
    this.wallClockTimer = timers.makeTimer("prompt")
    this.timeout = sessionTimeout
    this.lastHeard = this.now()
    this.wallClock = new WallClock(clock)
    this.proofs = new OwnershipProofs(ownershipProof, this.wallClock, sessionTimeout, ownershipMargin)
    this.owners = new Ownership(timers, this.proofs, guardCallback)
    // Any timer may be the first to see that the machine has slept.
    // A function that is assigned as it is made lives until the next full collection of garbage, with all it refers to.
    const onWake = (now: number) => this.checkWallClock(now)
    timers.onWake = onWake
    const onNeeded = () => {
      this.scheduleWallClockCheck(this.now())
      this.onProofNeeded?.()
    }
    this.owners.onNeeded = onNeeded
    this.ownership = Effect.suspend(() => {
      this.checkWallClock(this.now())
      return this.owners.wait
    })
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.timers.now()
  }

  // ---------------------------------------------------------------------------
  // connections
  // ---------------------------------------------------------------------------

  /**
   * Begins to measure for a session that was just made or resumed. `isNew` says that an ensemble has just made it,
   * `canProve` that the server takes writes.
   */
  sessionEstablished(options: {
    readonly sessionId: bigint
    readonly timeout: number
    readonly sentAt: number
    readonly now: number
    readonly isNew: boolean
    readonly canProve: boolean
  }): void {
    const { now, sessionId, timeout } = options
    const isAnother = sessionId !== this.owners.sessionId
    // An ownership that has lapsed by the old timeout does not come back by a longer one.
    if (isAnother || this.owners.isOverdue(now)) this.owners.lapse()
    const isShorter = timeout < this.timeout
    this.owners.sessionId = sessionId
    this.timeout = timeout
    this.heard(now)
    this.proofs.connected({ ...options, isAnother })
    // A session that is being closed is connected again only to be ended.
    if (this.hasEnded) this.proofs.ended(now)
    this.expectExpiry()
    this.owners.proved(now)
    // Timers that were set by a longer timeout would come too late.
    if (isShorter) {
      this.owners.deadlineMoved(now)
      if (this.wallClockTimer.at < Number.POSITIVE_INFINITY) this.scheduleWallClockCheck(now)
    }
  }

  /** The connection is gone: nothing is proved before there is another. */
  disconnected(): void {
    this.proofs.disconnected()
    this.owners.cannotProve()
  }

  /** A server spoke, at `now`. */
  heard(now: number): void {
    this.lastHeard = now
  }

  // ---------------------------------------------------------------------------
  // ownership
  // ---------------------------------------------------------------------------

  /** One of the session's own proofs is sent. */
  proofSent(at: number): void {
    this.proofs.proofSent(at)
  }

  /**
   * A server answered a request that was sent at `sentAt`; `now` is the time of the answer, `isCommitted` says that a quorum
   * has committed the request.
   */
  answered(sentAt: number, now: number, isCommitted: boolean): void {
    // The deadline may have passed before the timer had its turn: a late answer does not bring ownership back.
    this.lapseIfOverdue(now)
    if (this.proofs.answered(sentAt, now, isCommitted)) this.owners.proved(now)
  }

  /** Ends the current epoch of ownership if its deadline has passed. */
  lapseIfOverdue(now: number): void {
    if (this.owners.isOverdue(now)) this.owners.lapse()
  }

  /** When ownership ends, in monotonic milliseconds. */
  get deadline(): number {
    return this.proofs.deadline
  }

  /** When the next proof has to be sent, in monotonic milliseconds; never while nothing is owned. */
  get proofDue(): number {
    return this.owners.isNeeded ? this.proofs.nextProofAt(this.owners.isRequested) : Number.POSITIVE_INFINITY
  }

  /** Ends the current epoch of ownership. */
  lapse(): void {
    this.proofs.ended(this.now())
    this.owners.lapse()
  }

  /** The session that is measured; 0 before the first. */
  get sessionId(): bigint {
    return this.owners.sessionId
  }

  /** Ends ownership for good. */
  end(): void {
    this.hasEnded = true
    this.proofs.ended(this.now())
    this.owners.end()
  }

  // ---------------------------------------------------------------------------
  // expiry
  // ---------------------------------------------------------------------------

  /** When the session counts as expired unless a server is heard before, in monotonic milliseconds. */
  get expiresAt(): number {
    return this.lastHeard + (this.timeout * 4) / 3
  }

  /** How long the session can be away from servers before it counts as expired, in milliseconds; without one, for ever. */
  timeLeft(now: number): number {
    return this.canExpire ? Math.max(0, this.expiresAt - now) : Number.POSITIVE_INFINITY
  }

  /** There is a session: it expires when servers are silent for too long. */
  expectExpiry(): void {
    this.canExpire = true
    this.expiryTimer.set(this.expiresAt, this.expire)
  }

  /** There is none any more. */
  forgetExpiry(): void {
    this.canExpire = false
    this.expiryTimer.clear()
  }

  /** Whether the servers have been silent for so long that they must have ended the session. */
  isExpired(now: number): boolean {
    return this.canExpire && now >= this.expiresAt
  }

  private readonly expire = (now: number): void => {
    if (this.isExpired(now)) this.onExpired?.()
    else this.expectExpiry()
  }

  // ---------------------------------------------------------------------------
  // the wall clock
  // ---------------------------------------------------------------------------

  /**
   * Compares the clocks. A forward leap of the wall clock means that the machine may have slept while the monotonic clock
   * stood still, and the servers did not: the deadline comes nearer by the leap.
   */
  checkWallClock(now: number): void {
    const leap = this.wallClock.look(now)
    if (leap === 0) return
    this.owners.deadlineMoved(now)
    if (leap > this.timeout / 16) this.onMachineSlept?.()
  }

  /**
   * Compares the clocks from time to time, connected or not: every third of the timeout, and while something is owned every
   * twentieth, which is half of the usual margin.
   */
  scheduleWallClockCheck(now: number): void {
    this.wallClockTimer.set(now + this.timeout / (this.owners.isNeeded ? 20 : 3), (now) => {
      this.checkWallClock(now)
      this.scheduleWallClockCheck(now)
    })
  }
}
