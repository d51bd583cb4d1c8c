/** The time that a command may take. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { TimedOut } from "./errors.ts"
import type { Settings } from "./Settings.ts"

/** Ends an effect with `TimedOut` when the time of the command is over. */
export type Deadline = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TimedOut, R>

/** The end of `--timeout` from now on, for the parts of a command that it limits. Without one they take the time they need. */
export const deadline = ({ timeout }: Pick<Settings, "timeout">): Effect.Effect<Deadline> =>
  Effect.map(Clock.currentTimeMillis, (start): Deadline => {
    if (timeout === undefined) return (effect) => effect
    const end = start + Duration.toMillis(timeout)
    return (effect) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.timeoutOrElse(effect, {
          duration: Duration.millis(Math.max(0, end - now)),
          orElse: () => new TimedOut({ timeout: Duration.format(timeout) })
        })
      )
  })
