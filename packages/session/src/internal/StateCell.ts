import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { SessionState } from "../SessionState.ts"

/** The current state of a session, and a stream of it. A state that repeats itself is not told twice. */
export class StateCell {
  private state: SessionState = { _tag: "Connecting" }
  private readonly pubsub: PubSub.PubSub<SessionState>
  private readonly expiryIsFinal: boolean

  private constructor(pubsub: PubSub.PubSub<SessionState>, expiryIsFinal: boolean) {
    this.pubsub = pubsub
    this.expiryIsFinal = expiryIsFinal
    PubSub.publishUnsafe(pubsub, this.state)
  }

  /** `expiryIsFinal`: nothing follows an expiry. */
  static make(expiryIsFinal: boolean): Effect.Effect<StateCell> {
    return Effect.map(PubSub.unbounded<SessionState>({ replay: 1 }), (pubsub) => new StateCell(pubsub, expiryIsFinal))
  }

  get current(): SessionState {
    return this.state
  }

  /** Whether the session was closed or its credentials refused: no other state follows these. */
  get isFinal(): boolean {
    return this.state._tag === "AuthFailed" || this.state._tag === "Closed"
  }

  readonly changes: Stream.Stream<SessionState> = Stream.suspend(() =>
    Stream.takeUntil(
      Stream.fromPubSub(this.pubsub),
      ({ _tag }) => _tag === "Closed" || _tag === "AuthFailed" || (_tag === "Expired" && this.expiryIsFinal)
    )
  )

  set(state: SessionState): void {
    if (this.isFinal || isSame(this.state, state)) return
    this.state = state
    PubSub.publishUnsafe(this.pubsub, state)
  }
}

const isSame = (a: SessionState, b: SessionState): boolean => a._tag === b._tag && a._tag !== "Connected"
