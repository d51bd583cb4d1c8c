import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { OwnershipLost } from "../SessionError.ts"
import type { Alarm, Timer } from "./Alarm.ts"
import type { CallOut } from "./CallOut.ts"

/**
 * The two clocks of a session, both monotonic.
 *
 * *Last heard* says how long the servers have been silent: after 4/3 of the timeout the session counts as expired, for
 * nobody tells one that is cut off. *Last acknowledged*, the moment at which the newest answered request was sent, says
 * until when the servers must still have the session: ownership ends a margin before that.
 *
 * Ownership comes in epochs. A lapse ends one for good, and the next answer begins another: who held something through
 * the lapse has lost it, who acquires something afterwards owns it.
 */
export class Liveness {
  private readonly clock: Clock.Clock
  private readonly alarm: Alarm
  private readonly margin: (timeout: number) => number
  private readonly callOut: CallOut
  private lastHeard = 0
  private lastAcknowledged = 0
  private epoch: Set<(exit: Exit.Exit<never, OwnershipLost>) => void> | undefined
  private readonly ownershipEnd: Timer
  private readonly expiry: Timer
  private readonly wallClock: Timer
  /** Whether there is a session that can expire. */
  private canExpire = false
  private wallOffset: number
  private isOver = false
  /** What was sent before this moment says nothing any more: the machine may have slept since. */
  private trustedFrom = Number.NEGATIVE_INFINITY
  /** The session that the clocks speak of. */
  sessionId = 0n
  /** Milliseconds, as negotiated. */
  timeout: number
  /** Runs when the session counts as expired. */
  onExpired: (() => void) | undefined
  /** Runs when the machine may have slept, and a sign of life is due. */
  onSlept: (() => void) | undefined

  constructor(
    clock: Clock.Clock,
    alarm: Alarm,
    timeout: number,
    margin: (timeout: number) => number,
    callOut: CallOut
  ) {
    this.clock = clock
    this.alarm = alarm
    this.ownershipEnd = alarm.timer("prompt")
    this.expiry = alarm.timer()
    this.wallClock = alarm.timer("prompt")
    this.callOut = callOut
    this.timeout = timeout
    this.margin = margin
    this.lastHeard = this.now()
    this.wallOffset = clock.currentTimeMillisUnsafe() - this.lastHeard
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.alarm.now()
  }

  /** A server spoke, at `now`. */
  heard(now: number): void {
    this.lastHeard = now
  }

  /** A server answered what was sent at `sentAt`; `now` is the time of the answer. */
  acknowledged(sentAt: number, now: number): void {
    // The deadline may have passed without the timer having had its turn: an answer that comes late does not heal that.
    if (this.epoch !== undefined && now >= this.deadline) this.lapse()
    if (sentAt < this.trustedFrom) return
    if (sentAt > this.lastAcknowledged) this.lastAcknowledged = sentAt
    if (this.epoch === undefined && !this.isOver && now < this.deadline) {
      this.epoch = new Set()
      this.endOwnership(now)
    }
  }

  /** Begins to measure for a session that was just made or taken up again. */
  begin(sessionId: bigint, timeout: number, sentAt: number, now: number): void {
    // What has lapsed by the old timeout is not healed by a longer one.
    if (sessionId !== this.sessionId || now >= this.deadline) this.lapse()
    if (sessionId !== this.sessionId) this.lastAcknowledged = sentAt
    const isShorter = timeout < this.timeout
    this.sessionId = sessionId
    this.timeout = timeout
    this.heard(now)
    this.acknowledged(sentAt, now)
    this.expectExpiry()
    // What was set by a longer timeout would come too late.
    if (isShorter) {
      if (this.epoch !== undefined) this.endOwnership(now)
      if (this.wallClock.at < Number.POSITIVE_INFINITY) this.watchWallClock(now)
    }
  }

  /** When ownership ends, in monotonic milliseconds. */
  get deadline(): number {
    return this.lastAcknowledged + this.timeout - this.margin(this.timeout)
  }

  /** When the session counts as expired unless a server is heard before, in monotonic milliseconds. */
  get expiresAt(): number {
    return this.lastHeard + (this.timeout * 4) / 3
  }

  /** Ends the current epoch of ownership. */
  lapse(): void {
    const waiting = this.epoch
    if (waiting === undefined) return
    this.epoch = undefined
    this.ownershipEnd.clear()
    if (waiting.size === 0) return
    const lost = Exit.fail(new OwnershipLost({ sessionId: this.sessionId }))
    for (const resume of waiting) this.callOut(() => resume(lost))
  }

  /** Ends ownership for good: what a connection still answers while it is being left begins no epoch. */
  end(): void {
    this.isOver = true
    this.lapse()
  }

  /**
   * Compares the clocks. When the wall clock has leapt forward by more than the timeout the machine may have slept while
   * the monotonic clock stood still, and the servers did not: ownership ends, and only what is asked from now on can
   * begin it anew. True when that is so, and a sign of life is due.
   */
  hasSlept(now: number): boolean {
    const offset = this.clock.currentTimeMillisUnsafe() - now
    const step = offset - this.wallOffset
    this.wallOffset = offset
    if (step <= this.timeout) return false
    this.trustedFrom = now
    this.lapse()
    return true
  }

  /** Fails when the epoch that it was begun in ends. */
  readonly ownership: Effect.Effect<never, OwnershipLost> = Effect.callback((resume) => {
    if (this.epoch !== undefined && this.now() >= this.deadline) this.lapse()
    const epoch = this.epoch
    if (epoch === undefined) {
      resume(Effect.fail(new OwnershipLost({ sessionId: this.sessionId })))
      return
    }
    epoch.add(resume)
    return Effect.sync(() => {
      epoch.delete(resume)
    })
  })

  /** Ends the epoch when its time has come; answers put that off, so it is looked at again then. */
  private readonly endOwnership = (now: number): void => {
    const { deadline } = this
    if (deadline > now) this.ownershipEnd.set(deadline, this.endOwnership)
    else this.lapse()
  }

  // ---------------------------------------------------------------------------
  // expiry
  // ---------------------------------------------------------------------------

  /** There is a session: it expires when servers are silent for too long. */
  expectExpiry(): void {
    this.canExpire = true
    this.expiry.set(this.expiresAt, this.expire)
  }

  /** There is none any more. */
  forgetExpiry(): void {
    this.canExpire = false
    this.expiry.clear()
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

  /** Compares the clocks every third of the timeout, connected or not. */
  watchWallClock(now: number): void {
    this.wallClock.set(now + this.timeout / 3, this.lookAtWallClock)
  }

  private readonly lookAtWallClock = (now: number): void => {
    if (this.hasSlept(now)) this.onSlept?.()
    this.watchWallClock(now)
  }
}
