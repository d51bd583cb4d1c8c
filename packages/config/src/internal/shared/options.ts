/** Checks of options and arguments. */
import * as DurationInput from "@effect-zookeeper/client/DurationInput"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Fails if the options are not an object, or have an unknown key. */
export const checkOptions = <O>(
  known: KnownOptions.KnownOptions<O>,
  options: unknown
): Effect.Effect<void, InvalidArgument> => {
  const mistake = KnownOptions.check(known, options)
  return mistake === undefined ? Effect.void : Effect.fail(mistake)
}

/** Fails if the path is invalid. */
export const checkPath = (path: string): Effect.Effect<string, InvalidArgument> =>
  Effect.fromResult(ZnodePath.validate(path))

/** A whole number above 0. */
export const checkCount = (argument: string, value: number): Effect.Effect<number, InvalidArgument> =>
  Number.isSafeInteger(value) && value >= 1
    ? Effect.succeed(value)
    : Effect.fail(
        new InvalidArgument({ argument, value: String(value), rule: "it has to be a whole number, at least 1" })
      )

/** A finite duration above 0, in milliseconds. */
export const checkDuration = (argument: string, value: Duration.Input): Effect.Effect<number, InvalidArgument> => {
  const millis = DurationInput.toMillis(value)
  if (millis !== undefined && millis > 0 && Number.isFinite(millis)) return Effect.succeed(millis)
  const rule = 'a duration such as 500 (milliseconds) or "5 seconds", finite and above 0'
  return Effect.fail(new InvalidArgument({ argument, value: DurationInput.format(value), rule }))
}
