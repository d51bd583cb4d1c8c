/**
 * Pauses: before a repeated attempt, and for work that other clients may undo, so that two clients never race each other
 * in a busy loop.
 */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { monotonicMillis } from "./clock.ts"

/** A change that has lasted this long lets the next one come without a pause. Milliseconds. */
const RESET_AFTER = 10_000

/** Makes an effect that pauses before work that is repeated soon after: the more often, the longer. */
export const makeBackoff: Effect.Effect<Effect.Effect<void>> = Effect.gen(function* () {
  let last = Number.NEGATIVE_INFINITY
  let pause = yield* Schedule.toStepWithSleep(Outcome.backoff)
  return Effect.gen(function* () {
    if ((yield* monotonicMillis) - last > RESET_AFTER) pause = yield* Schedule.toStepWithSleep(Outcome.backoff)
    // The schedule has no end.
    else yield* Effect.ignore(pause(undefined))
    last = yield* monotonicMillis
  })
})

/** Between half and one and a half of so many milliseconds. */
export const sleepJittered = (millis: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) => Effect.sleep(millis * (0.5 + random)))
