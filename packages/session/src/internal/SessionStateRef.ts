import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SessionState } from "../SessionState.ts"
import type { GuardCallback } from "./guardCallback.ts"

/** One state, what came after it, and who waits for that. */
interface Entry {
  readonly state: SessionState
  next: Entry | undefined
  readonly waiting: Set<(entry: Effect.Effect<Entry>) => void>
}

/**
 * The current state of a session, and a stream of it. A state that repeats itself is not told twice.
 *
 * States form a chain from the oldest that somebody has yet to read: each reader goes along it at its own pace, misses
 * none, and cannot keep one from any other.
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

  /** Whether the session was closed or its credentials refused: no other state follows these. */
  get isFinal(): boolean {
    return this.current._tag === "AuthFailed" || this.current._tag === "Closed"
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
    if (this.isFinal || isSame(this.current, state)) return
    const { waiting } = this.entry
    const next = makeEntry(state)
    this.entry.next = next
    this.entry = next
    const waiters = [...waiting]
    waiting.clear()
    for (const resume of waiters) this.guardCallback(() => resume(Effect.succeed(next)))
  }
}

const makeEntry = (state: SessionState): Entry => ({ state, next: undefined, waiting: new Set() })

/** The entry after this one, as soon as there is one. */
const after = (entry: Entry): Effect.Effect<Entry> =>
  Effect.callback((resume) => {
    if (entry.next !== undefined) {
      resume(Effect.succeed(entry.next))
      return
    }
    entry.waiting.add(resume)
    return Effect.sync(() => {
      entry.waiting.delete(resume)
    })
  })

const isSame = (a: SessionState, b: SessionState): boolean => a._tag === b._tag && a._tag !== "Connected"
