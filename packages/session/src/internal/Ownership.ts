import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { OwnershipLost } from "../SessionError.ts"
import type { Alarm, Timer } from "./Alarm.ts"
import type { CallOut } from "./CallOut.ts"
import type { Proofs } from "./Proofs.ts"

type Resume = (exit: Exit.Exit<never, OwnershipLost>) => void

/**
 * Who relies on the session, and until when they may.
 *
 * Ownership comes in epochs. A lapse ends one for good, and the next proof begins another: whoever held something through
 * the lapse has lost it, and whoever acquires something afterwards owns it.
 */
export class Ownership {
  private readonly alarm: Alarm
  private readonly proofs: Proofs
  private readonly callOut: CallOut
  private epoch: Set<Resume> | undefined
  private readonly epochEnd: Timer
  private isOver = false
  /** Whether somebody has asked while nothing was proved: with a proof the next one to ask may own something. */
  isAskedFor = false
  /** The session that the clocks speak of. */
  sessionId = 0n
  /** Runs when a proof is due sooner than before. */
  onNeeded: (() => void) | undefined

  constructor(alarm: Alarm, proofs: Proofs, callOut: CallOut) {
    this.proofs = proofs
    this.callOut = callOut
    this.alarm = alarm
    this.epochEnd = alarm.timer("prompt")
  }

  /** Whether anybody relies on the session, or wants to. */
  get isNeeded(): boolean {
    return this.isAskedFor || (this.epoch !== undefined && this.epoch.size > 0)
  }

  /** Fails when the epoch that it was begun in ends, and at once where there is none. */
  readonly wait: Effect.Effect<never, OwnershipLost> = Effect.callback((resume) => {
    if (this.isOverdue(this.alarm.now())) this.lapse()
    const { epoch } = this
    if (epoch === undefined) {
      resume(Effect.fail(this.loss()))
      if (this.isOver || !this.proofs.canProve || this.isAskedFor) return
      this.isAskedFor = true
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
    if (this.epoch !== undefined || this.isOver || now >= this.proofs.deadline) return
    this.isAskedFor = false
    this.epoch = new Set()
    this.endEpoch(now)
  }

  /** The deadline may have come nearer: by a leap of the wall clock, or because a server has granted less. */
  deadlineMoved(now: number): void {
    if (this.epoch !== undefined) this.endEpoch(now)
  }

  /** Nothing can be proved before there is another connection. */
  cannotProve(): void {
    this.isAskedFor = false
  }

  /** Ends the current epoch. */
  lapse(): void {
    const { epoch } = this
    this.epoch = undefined
    this.epochEnd.clear()
    if (epoch === undefined || epoch.size === 0) return
    const lost = Exit.fail(this.loss())
    for (const resume of epoch) this.callOut(() => resume(lost))
  }

  /** Ends ownership for good: what a connection still answers while it is being left begins no epoch. */
  end(): void {
    this.isOver = true
    this.isAskedFor = false
    this.lapse()
  }

  /** Ends the epoch when its time has come; proofs put that off, so it is looked at again then. */
  private readonly endEpoch = (now: number): void => {
    const { deadline } = this.proofs
    if (deadline > now) this.epochEnd.set(deadline, this.endEpoch)
    else this.lapse()
  }

  private loss(): OwnershipLost {
    return new OwnershipLost({ sessionId: this.sessionId })
  }
}
