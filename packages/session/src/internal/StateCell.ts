import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { SessionState } from "../SessionState.ts"

/** The current state of a session, and a stream of it. A state that repeats itself is not told twice. */
export class StateCell {
  private state: SessionState = { _tag: "Connecting" }
  private readonly pubsub: PubSub.PubSub<SessionState>

  private constructor(pubsub: PubSub.PubSub<SessionState>) {
    this.pubsub = pubsub
    PubSub.publishUnsafe(pubsub, this.state)
  }

  static readonly make: Effect.Effect<StateCell> = Effect.map(
    PubSub.unbounded<SessionState>({ replay: 1 }),
    (pubsub) => new StateCell(pubsub)
  )

  get current(): SessionState {
    return this.state
  }

  /** Whether the session is over for good. */
  get isFinal(): boolean {
    return this.state._tag === "AuthFailed" || this.state._tag === "Closed"
  }

  readonly changes: Stream.Stream<SessionState> = Stream.suspend(() =>
    Stream.takeUntil(Stream.fromPubSub(this.pubsub), isLast)
  )

  set(state: SessionState): void {
    if (this.isFinal || isSame(this.state, state)) return
    this.state = state
    PubSub.publishUnsafe(this.pubsub, state)
  }
}

const isLast = (state: SessionState): boolean => state._tag === "Closed" || state._tag === "AuthFailed"

const isSame = (a: SessionState, b: SessionState): boolean => a._tag === b._tag && a._tag !== "Connected"
