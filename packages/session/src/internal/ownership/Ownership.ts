import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { OwnershipLost } from "../../SessionError.ts"
import type { TimerQueue, Timer } from "../time/TimerQueue.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { elementsOf, type SmallSet, sizeOf, withElement, withoutElement } from "../SmallSet.ts"
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
  private hasEpoch = false
  /** The effects that rely on the session in the current epoch. */
  private relying: SmallSet<Resume> = undefined
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
    return this.isRequested || this.relying !== undefined
  }

  /** Fails when the epoch in which it was begun ends, and at once if there is none. */
  readonly wait: Effect.Effect<never, OwnershipLost> = Effect.callback((resume) => {
    if (this.isOverdue(this.timers.now())) this.lapse()
    if (!this.hasEpoch) {
      resume(Effect.fail(this.loss()))
      if (this.hasEnded || !this.proofs.canProve || this.isRequested) return
      this.isRequested = true
      this.onNeeded?.()
      return
    }
    this.relying = withElement(this.relying, resume)
    if (sizeOf(this.relying) === 1) this.onNeeded?.()
    return Effect.sync(() => {
      this.relying = withoutElement(this.relying, resume)
    })
  })

  /** Whether the current epoch should have ended by now. */
  isOverdue(now: number): boolean {
    return this.hasEpoch && now >= this.proofs.deadline
  }

  /** Something was proved: an epoch begins, unless one goes on or there is nothing left of the time. */
  proved(now: number): void {
    if (this.hasEpoch || this.hasEnded || now >= this.proofs.deadline) return
    this.isRequested = false
    this.hasEpoch = true
    this.endEpoch(now)
  }

  /** The deadline may have come nearer: by a leap of the wall clock, or because a server has granted less. */
  deadlineMoved(now: number): void {
    if (this.hasEpoch) this.endEpoch(now)
  }

  /** Nothing can be proved before there is another connection. */
  cannotProve(): void {
    this.isRequested = false
  }

  /** Ends the current epoch. */
  lapse(): void {
    const relying = elementsOf(this.relying)
    this.hasEpoch = false
    this.relying = undefined
    this.epochEnd.clear()
    if (relying.length === 0) return
    const lost = Exit.fail(this.loss())
    for (const resume of relying) this.guardCallback(() => resume(lost))
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
