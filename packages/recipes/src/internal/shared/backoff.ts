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
export const makeBackoff: Effect.Effect<Effect.Effect<void>> = Effect.sync(() => {
  let last = Number.NEGATIVE_INFINITY
  let pause: Effect.Success<typeof makePause> | undefined
  return Effect.flatMap(monotonicMillis, (now) => {
    if (now - last > RESET_AFTER) {
      pause = undefined
      last = now
      return Effect.void
    }
    return Effect.gen(function* () {
      // The schedule has no end.
      yield* Effect.ignore((pause ??= yield* makePause)(undefined))
      last = yield* monotonicMillis
    })
  })
})

const makePause = Schedule.toStepWithSleep(Outcome.backoff)

/**
 * Runs an effect until it gives something. `undefined` says that the state was not as it had to be, and that the effect has
 * mended it: then it runs again, at once the first time, and after growing pauses from then on.
 */
export const untilDefined = <A, E, R>(attempt: Effect.Effect<A | undefined, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(attempt, (first) =>
    first !== undefined
      ? Effect.succeed(first)
      : Effect.flatMap(makeBackoff, (backoff) => {
          const again: Effect.Effect<A, E, R> = Effect.flatMap(Effect.andThen(backoff, attempt), (next) =>
            next === undefined ? again : Effect.succeed(next)
          )
          return again
        })
  )

/** Between half and one and a half of so many milliseconds. */
export const sleepJittered = (millis: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) => Effect.sleep(millis * (0.5 + random)))
