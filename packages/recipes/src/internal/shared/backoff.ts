/**
 * Pauses for work that other clients may undo, so that two clients never race each other in a busy loop.
 */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** A change that has lasted this long lets the next one come without a pause. Milliseconds. */
const RESET_AFTER = 10_000

/** Makes an effect that pauses before work that is repeated soon after: the more often, the longer. */
export const makeBackoff: Effect.Effect<Effect.Effect<void>> = Effect.gen(function* () {
  const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
  let last = Number.NEGATIVE_INFINITY
  let pause = yield* Schedule.toStepWithSleep(Outcome.backoff)
  return Effect.gen(function* () {
    if ((yield* now) - last > RESET_AFTER) pause = yield* Schedule.toStepWithSleep(Outcome.backoff)
    // The schedule has no end.
    else yield* Effect.ignore(pause(undefined))
    last = yield* now
  })
})
