/**
 * Monotonic time: the present, and deadlines.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The monotonic time in milliseconds. */
export const monotonicMillis: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos) / 1e6
)

/** Fails an effect that takes longer than there is time; the error is made only then. */
type WithDeadline = <A, E, Late>(effect: Effect.Effect<A, E>, late: () => Late) => Effect.Effect<A, E | Late>

/** One common deadline for all waits, so many milliseconds from now; undefined for none. */
export const makeDeadline = (millis: number | undefined): Effect.Effect<WithDeadline> =>
  millis === undefined
    ? Effect.succeed((effect) => effect)
    : Effect.map(monotonicMillis, (start): WithDeadline => {
        const deadline = start + millis
        return (effect, late) =>
          Effect.flatMap(monotonicMillis, (now) =>
            Effect.timeoutOrElse(effect, { duration: Math.max(0, deadline - now), orElse: () => Effect.fail(late()) })
          )
      })
