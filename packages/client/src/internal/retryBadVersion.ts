/**
 * Repeats a compare-and-set that failed with `BadVersion`.
 */
import { BadVersion } from "@effect-zookeeper/protocol/ServerError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"

const pauses = Schedule.jittered(Schedule.min([Schedule.exponential("5 millis"), Schedule.spaced("1 second")]))

/** Repeats `once` after `BadVersion`, by the schedule. Every other error passes at once. */
export const retryBadVersion = <A, E>(
  once: Effect.Effect<A, E | BadVersion>,
  schedule: Schedule.Schedule<unknown, BadVersion> = pauses
): Effect.Effect<A, E | BadVersion> => {
  const attempt: Effect.Effect<Result.Result<A, E | BadVersion>, BadVersion> = Effect.flatMap(
    Effect.result(once),
    (outcome) =>
      Result.isFailure(outcome) && outcome.failure instanceof BadVersion
        ? Effect.fail(outcome.failure)
        : Effect.succeed(outcome)
  )
  return Effect.flatMap(Effect.retry(attempt, schedule), Effect.fromResult)
}
