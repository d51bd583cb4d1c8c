import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SessionState } from "../SessionState.ts"
import type { GuardCallback } from "./guardCallback.ts"
import { elementsOf, type SmallSet, withElement, withoutElement } from "./SmallSet.ts"

/** One state, the one that came after it, and the readers that wait for that. */
interface Entry {
  readonly state: SessionState
  next: Entry | undefined
  waiting: SmallSet<(entry: Effect.Effect<Entry>) => void>
}

/**
 * The current state of a session, and a stream of it.
 *
 * States form a chain from the oldest that a reader has yet to read. Each reader goes along it at its own pace, misses none,
 * and cannot keep a state from another reader.
 */
export class SessionStateRef {
  private entry: Entry = makeEntry({ _tag: "Connecting" })
  private readonly expiryIsFinal: boolean
  private readonly guardCallback: GuardCallback

  /** `expiryIsFinal`: nothing follows an expiry. */
  constructor(expiryIsFinal: boolean, guardCallback: GuardCallback) {
    this.expiryIsFinal = expiryIsFinal
    this.guardCallback = guardCallback
  }

  get current(): SessionState {
    return this.entry.state
  }

  get changes(): Stream.Stream<SessionState> {
    return Stream.suspend(() =>
      Stream.unfold(Effect.succeed(this.entry), (entry) =>
        Effect.map(entry, (read) => [read.state, after(read)] as const)
      ).pipe(
        Stream.takeUntil(
          ({ _tag }) => _tag === "Closed" || _tag === "AuthFailed" || (_tag === "Expired" && this.expiryIsFinal)
        )
      )
    )
  }

  set(state: SessionState): void {
    const waiters = elementsOf(this.entry.waiting)
    this.entry.waiting = undefined
    const next = makeEntry(state)
    this.entry.next = next
    this.entry = next
    for (const resume of waiters) this.guardCallback(() => resume(Effect.succeed(next)))
  }
}

const makeEntry = (state: SessionState): Entry => ({ state, next: undefined, waiting: undefined })

/** The entry after this one, as soon as there is one. */
const after = (entry: Entry): Effect.Effect<Entry> =>
  Effect.callback((resume) => {
    if (entry.next !== undefined) {
      resume(Effect.succeed(entry.next))
      return
    }
    entry.waiting = withElement(entry.waiting, resume)
    return Effect.sync(() => {
      entry.waiting = withoutElement(entry.waiting, resume)
    })
  })
