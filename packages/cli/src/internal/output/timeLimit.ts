/** How long a command that has been ended waits for the end of its output. */
import * as Effect from "effect/Effect"

/**
 * Waits for an effect, but not longer than so many milliseconds, and ignores its failure. Where the machine has no time for
 * this process, a timer may be over before the effect had its first chance. So the time is counted in short steps: in each
 * of them the effect can go on.
 */
export const withinTime = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number): Effect.Effect<void, never, R> =>
  Effect.raceFirst(
    Effect.interruptible(Effect.ignore(effect)),
    Effect.interruptible(Effect.repeat(Effect.sleep(STEP), { times: Math.ceil(millis / STEP) - 1 }))
  )

// ---- internal

/** Milliseconds. */
const STEP = 10
