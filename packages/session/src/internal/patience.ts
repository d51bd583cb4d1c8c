import * as Effect from "effect/Effect"
import { STALL } from "./Alarm.ts"
import type { SessionCore } from "./SessionCore.ts"

/**
 * An effect of a server that may take so many milliseconds. The time in which this process stood still is not the
 * server's: it is added, and what came meanwhile is read before.
 */
export const within = <A, E, R, A2, E2>(
  core: SessionCore,
  effect: Effect.Effect<A, E, R>,
  millis: number,
  orElse: () => Effect.Effect<A2, E2>
): Effect.Effect<A | A2, E | E2, R> =>
  Effect.raceFirst(effect, Effect.andThen(awake(core, millis), Effect.suspend(orElse)))

const awake = (core: SessionCore, millis: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const dueAt = core.liveness.now() + millis
    return Effect.andThen(
      Effect.sleep(millis),
      Effect.suspend(() => {
        const late = core.liveness.now() - dueAt
        if (late >= STALL) return awake(core, late)
        return late > 0.001 ? Effect.yieldNow : Effect.void
      })
    )
  })
