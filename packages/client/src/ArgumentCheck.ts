/**
 * Checks of arguments that several packages have. Each fails with `InvalidArgument`, before anything is sent.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
import * as DurationInput from "@effect-zookeeper/protocol/DurationInput"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Fails if the options are not an object, or have an unknown key.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkOptions = <O>(
  known: KnownOptions.KnownOptions<O>,
  options: unknown,
  argument?: string
): Effect.Effect<void, InvalidArgument> => {
  const mistake = KnownOptions.check(known, options, argument)
  return mistake === undefined ? Effect.void : Effect.fail(mistake)
}

/**
 * Fails if the path is invalid.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkPath = (path: string): Effect.Effect<string, InvalidArgument> =>
  Effect.fromResult(ZnodePath.validate(path))

/**
 * A whole number from `least` (default 1) to `most`, which may be infinite; undefined stays undefined.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkCount = <N extends number | undefined>(
  argument: string,
  value: N,
  { least = 1, most = Number.MAX_SAFE_INTEGER }: { readonly least?: number; readonly most?: number } = {}
): Effect.Effect<N, InvalidArgument> => {
  if (value === undefined) return Effect.succeed(value)
  const isWhole = Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY
  if (isWhole && value >= least && value <= most) return Effect.succeed(value)
  const end = most >= Number.MAX_SAFE_INTEGER ? `, at least ${least}` : ` from ${least} to ${most}`
  return Effect.fail(new InvalidArgument({ argument, value: String(value), rule: `it has to be a whole number${end}` }))
}

/**
 * A finite duration above 0, in milliseconds.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkDuration = (argument: string, value: Duration.Input): Effect.Effect<number, InvalidArgument> =>
  checkMillis(argument, value, (millis) => millis > 0 && Number.isFinite(millis), "finite and above 0")

/**
 * A duration in milliseconds, which may be 0; undefined for no limit.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkTimeout = (
  timeout: Duration.Input | undefined,
  argument = "timeout"
): Effect.Effect<number | undefined, InvalidArgument> =>
  timeout === undefined
    ? Effect.undefined
    : Effect.map(
        checkMillis(argument, timeout, (millis) => millis >= 0, "not below 0"),
        (millis) => (Number.isFinite(millis) ? millis : undefined)
      )

// ---- internal

const checkMillis = (
  argument: string,
  value: Duration.Input,
  isAllowed: (millis: number) => boolean,
  bounds: string
): Effect.Effect<number, InvalidArgument> => {
  const millis = DurationInput.toMillis(value)
  if (millis !== undefined && isAllowed(millis)) return Effect.succeed(millis)
  const rule = `a duration such as 500 (milliseconds) or "5 seconds", ${bounds}`
  return Effect.fail(new InvalidArgument({ argument, value: DurationInput.format(value), rule }))
}
