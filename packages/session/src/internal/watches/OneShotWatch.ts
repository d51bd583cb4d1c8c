import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type ConnectionLoss, SessionClosed, type SessionExpired } from "../../SessionError.ts"
import type { Changed } from "../../Watch.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { emptySet, type SmallSet, withElement } from "./SmallSet.ts"

type Outcome = Exit.Exit<WatchEvent.WatchEvent, SessionExpired | SessionClosed | ConnectionLoss>

/** The kind of read that left a one-shot watch. */
export type OneShotKind = "data" | "exists" | "child"

/** The registry of a watch, which has an entry for each path. */
interface WatchOwner<Entry> {
  readonly guardCallback: GuardCallback
  /** Runs when the last waiting effect has gone before the event came. */
  readonly dropped: (watch: OneShotWatch<Entry>, entry: Entry, kind: OneShotKind) => void
}

/** A watch that reports one event, to all that wait for it. */
export class OneShotWatch<Entry> {
  private waiting: SmallSet<(outcome: Outcome) => void> = emptySet
  private readonly owner: WatchOwner<Entry>
  private readonly entry: Entry
  private readonly kind: OneShotKind
  private outcome: Outcome | undefined

  constructor(owner: WatchOwner<Entry>, entry: Entry, kind: OneShotKind) {
    this.owner = owner
    this.entry = entry
    this.kind = kind
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
    this.waiting = withElement(this.waiting, resume)
    return Effect.sync(() => {
      this.waiting.delete(resume)
      if (this.waiting.size > 0 || this.outcome !== undefined) return
      // A watch that was dropped reports nothing any more: an effect that waits for it again must not hang.
      this.outcome = Exit.fail(new SessionClosed())
      this.owner.dropped(this, this.entry, this.kind)
    })
  })

  private complete(outcome: Outcome): void {
    if (this.outcome !== undefined) return
    this.outcome = outcome
    const waiting = this.waiting.all()
    this.waiting.clear()
    for (const resume of waiting) this.owner.guardCallback(() => resume(outcome))
  }
}
