/**
 * Doing again what others undo, without a race against them.
 */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** How long a change must have lasted for the next to come without a pause, in milliseconds. */
const RESET_AFTER = 10_000

/** Pauses before what is done again soon after, the longer the more often. */
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
