import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { OwnershipLost } from "../../SessionError.ts"
import type { TimerQueue, Timer } from "../time/TimerQueue.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { SmallSet } from "../watches/SmallSet.ts"
import type { OwnershipProofs } from "./OwnershipProofs.ts"

type Resume = (exit: Exit.Exit<never, OwnershipLost>) => void

/**
 * The effects that rely on the session, and until when they may.
 *
 * Ownership comes in epochs. A lapse ends an epoch for good, and the next proof begins another: an effect that held something
 * through the lapse has lost it, and one that acquires something afterwards owns it.
 */
export class Ownership {
  private readonly timers: TimerQueue
  private readonly proofs: OwnershipProofs
  private readonly guardCallback: GuardCallback
  private epoch: SmallSet<Resume> | undefined
  private readonly epochEnd: Timer
  private hasEnded = false
  /** Whether an effect wanted to rely on the session while nothing was proved. With a proof the next one may. */
  isRequested = false
  /** The session whose ownership this is. */
  sessionId = 0n
  /** Runs when a proof is due sooner than before. */
  onNeeded: (() => void) | undefined

  constructor(timers: TimerQueue, proofs: OwnershipProofs, guardCallback: GuardCallback) {
    this.proofs = proofs
    this.guardCallback = guardCallback
    this.timers = timers
    this.epochEnd = timers.makeTimer("prompt")
  }

  /** Whether any effect relies on the session, or wants to. */
  get isNeeded(): boolean {
    return this.isRequested || (this.epoch !== undefined && this.epoch.size > 0)
  }

  /** Fails when the epoch in which it was begun ends, and at once if there is none. */
  readonly wait: Effect.Effect<never, OwnershipLost> = Effect.callback((resume) => {
    if (this.isOverdue(this.timers.now())) this.lapse()
    const { epoch } = this
    if (epoch === undefined) {
      resume(Effect.fail(this.loss()))
      if (this.hasEnded || !this.proofs.canProve || this.isRequested) return
      this.isRequested = true
      this.onNeeded?.()
      return
    }
    epoch.add(resume)
    if (epoch.size === 1) this.onNeeded?.()
    return Effect.sync(() => {
      epoch.delete(resume)
    })
  })

  /** Whether the current epoch should have ended by now. */
  isOverdue(now: number): boolean {
    return this.epoch !== undefined && now >= this.proofs.deadline
  }

  /** Something was proved: an epoch begins, unless one goes on or there is nothing left of the time. */
  proved(now: number): void {
    if (this.epoch !== undefined || this.hasEnded || now >= this.proofs.deadline) return
    this.isRequested = false
    this.epoch = new SmallSet()
    this.endEpoch(now)
  }

  /** The deadline may have come nearer: by a leap of the wall clock, or because a server has granted less. */
  deadlineMoved(now: number): void {
    if (this.epoch !== undefined) this.endEpoch(now)
  }

  /** Nothing can be proved before there is another connection. */
  cannotProve(): void {
    this.isRequested = false
  }

  /** Ends the current epoch. */
  lapse(): void {
    const { epoch } = this
    this.epoch = undefined
    this.epochEnd.clear()
    if (epoch === undefined || epoch.size === 0) return
    const lost = Exit.fail(this.loss())
    for (const resume of epoch) this.guardCallback(() => resume(lost))
  }

  /** Ends ownership for good: replies that still come while the session is being closed begin no epoch. */
  end(): void {
    this.hasEnded = true
    this.isRequested = false
    this.lapse()
  }

  /** Ends the epoch if its time has come. Proofs may have put that off: the timer is set again then. */
  private readonly endEpoch = (now: number): void => {
    const { deadline } = this.proofs
    if (deadline > now) this.epochEnd.set(deadline, this.endEpoch)
    else this.lapse()
  }

  private loss(): OwnershipLost {
    return new OwnershipLost({ sessionId: this.sessionId })
  }
}
