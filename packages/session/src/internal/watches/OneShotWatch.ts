import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type ConnectionLoss, SessionClosed, type SessionExpired } from "../../SessionError.ts"
import type { Changed } from "../../Watch.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { SmallSet } from "./SmallSet.ts"

type Outcome = Exit.Exit<WatchEvent.WatchEvent, SessionExpired | SessionClosed | ConnectionLoss>

/** A watch that reports one event, to all that wait for it. */
export class OneShotWatch {
  private readonly waiting = new SmallSet<(outcome: Outcome) => void>()
  private readonly onDrop: (watch: OneShotWatch) => void
  private readonly guardCallback: GuardCallback
  private outcome: Outcome | undefined

  /** `onDrop` runs when the last waiting effect has gone before the event came. */
  constructor(guardCallback: GuardCallback, onDrop: (watch: OneShotWatch) => void) {
    this.guardCallback = guardCallback
    this.onDrop = onDrop
  }

  fire(event: WatchEvent.WatchEvent): void {
    this.complete(Exit.succeed(event))
  }

  fail(error: SessionExpired | SessionClosed | ConnectionLoss): void {
    this.complete(Exit.fail(error))
  }

  readonly changed: Changed = Effect.callback((resume) => {
    if (this.outcome !== undefined) {
      resume(this.outcome)
      return
    }
    this.waiting.add(resume)
    return Effect.sync(() => {
      this.waiting.delete(resume)
      if (this.waiting.size > 0 || this.outcome !== undefined) return
      // A watch that was dropped reports nothing any more: an effect that waits for it again must not hang.
      this.outcome = Exit.fail(new SessionClosed())
      this.onDrop(this)
    })
  })

  private complete(outcome: Outcome): void {
    if (this.outcome !== undefined) return
    this.outcome = outcome
    const waiting = this.waiting.all()
    this.waiting.clear()
    for (const resume of waiting) this.guardCallback(() => resume(outcome))
  }
}
