import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AuthFailed, ConnectFailed, SessionExpired } from "../SessionError.ts"
import type { GuardCallback } from "./guardCallback.ts"
import type { Timer } from "./time/TimerQueue.ts"

type Outcome = Exit.Exit<void, AuthFailed | SessionExpired | ConnectFailed>

/** The first connection of a session, which the application that makes the session waits for, if it is to. */
export class FirstConnection {
  private readonly guardCallback: GuardCallback
  private outcome: Outcome | undefined
  private notify: ((outcome: Outcome) => void) | undefined
  private readonly isBackground: boolean
  /** Whether there has been a connection whose server has accepted all auth infos. */
  isMade = false

  constructor(guardCallback: GuardCallback, isBackground: boolean) {
    this.guardCallback = guardCallback
    this.isBackground = isBackground
  }

  /** Whether the application waits for it, so that `connectTimeout` runs. */
  get isAwaited(): boolean {
    return !this.isMade && !this.isBackground
  }

  /** A server has accepted all auth infos. Only the first time has an effect. */
  made(): void {
    if (this.isMade) return
    this.isMade = true
    this.guardCallback(() => this.settle(Exit.void))
  }

  /** There is a connection, or there will be none. */
  settle(outcome: Outcome): void {
    if (this.outcome !== undefined) return
    this.outcome = outcome
    this.notify?.(outcome)
  }

  /** Waits for the outcome, if anybody is to, until `deadline` (monotonic milliseconds); then it is `late`. */
  wait(timer: Timer, deadline: () => number, late: () => ConnectFailed) {
    return Effect.callback<void, AuthFailed | SessionExpired | ConnectFailed>((resume) => {
      if (this.isBackground) return resume(Effect.void)
      if (this.outcome !== undefined) return resume(this.outcome)
      const stop = () => {
        this.notify = undefined
        timer.clear()
      }
      const notify = (outcome: Outcome) => {
        stop()
        resume(outcome)
      }
      this.notify = notify
      timer.setAwake(deadline(), () => this.notify?.(Exit.fail(late())))
      return Effect.sync(stop)
    })
  }
}
