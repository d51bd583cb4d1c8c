import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Hash from "effect/Hash"
import { type ConnectionLoss, SessionClosed, type SessionExpired } from "../../SessionError.ts"
import type { Changed } from "../../Watch.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { elementsOf, type SmallSet, withElement, withoutElement } from "../SmallSet.ts"

type Lost = SessionExpired | SessionClosed | ConnectionLoss

type Outcome = Exit.Exit<WatchEvent.WatchEvent, Lost>

type Resume = (outcome: Outcome) => void

/** The kind of read that left a one-shot watch. */
export type OneShotKind = "data" | "exists" | "child"

/** The registry of a watch, which has an entry for each path. */
interface WatchOwner<Entry> {
  readonly guardCallback: GuardCallback
  /** Runs when the last waiting effect has gone before the event came. */
  readonly dropped: (watch: OneShotWatch<Entry>, entry: Entry, kind: OneShotKind) => void
}

/**
 * A watch that reports one event, to all that wait for it. It is itself the Effect that waits: an Effect beside it, with its
 * function, would take as much memory again.
 */
export class OneShotWatch<Entry> extends Effectable.Class<WatchEvent.WatchEvent, Lost> {
  private waiting: SmallSet<Resume> = undefined
  private readonly owner: WatchOwner<Entry>
  private readonly entry: Entry
  private readonly kind: OneShotKind
  private outcome: Outcome | undefined = undefined

  constructor(owner: WatchOwner<Entry>, entry: Entry, kind: OneShotKind) {
    super()
    this.owner = owner
    this.entry = entry
    this.kind = kind
  }

  fire(event: WatchEvent.WatchEvent): void {
    this.complete(Exit.succeed(event))
  }

  fail(error: Lost): void {
    this.complete(Exit.fail(error))
  }

  override asEffect(): Changed {
    return Effect.callback((resume) => {
      if (this.outcome !== undefined) {
        resume(this.outcome)
        return
      }
      this.waiting = withElement<Resume>(this.waiting, resume)
      return Effect.sync(() => this.stopWaiting(resume))
    })
  }

  /** Two watches are never the same, and a comparison of their fields would go through the whole registry. */
  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  private stopWaiting(resume: Resume): void {
    this.waiting = withoutElement(this.waiting, resume)
    if (this.waiting !== undefined || this.outcome !== undefined) return
    // A watch that was dropped reports nothing any more: an effect that waits for it again must not hang.
    this.outcome = Exit.fail(new SessionClosed())
    this.owner.dropped(this, this.entry, this.kind)
  }

  private complete(outcome: Outcome): void {
    if (this.outcome !== undefined) return
    this.outcome = outcome
    const waiting = elementsOf(this.waiting)
    this.waiting = undefined
    for (const resume of waiting) this.owner.guardCallback(() => resume(outcome))
  }
}
