/**
 * Checks of arguments, each once for all recipes.
 */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as DurationInput from "@effect-zookeeper/client/DurationInput"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A valid path, and not "/" unless it `mayBeRoot`. */
export const checkPath = (path: string, mayBeRoot = false): Effect.Effect<string, InvalidArgument> =>
  path === "/" && !mayBeRoot
    ? Effect.fail(new InvalidArgument({ argument: "path", value: path, rule: "a recipe needs a znode of its own" }))
    : Effect.fromResult(ZnodePath.validate(path))

/** A duration in milliseconds; undefined for no limit. */
export const checkTimeout = (
  timeout: Duration.Input | undefined,
  argument = "timeout"
): Effect.Effect<number | undefined, InvalidArgument> => {
  if (timeout === undefined) return Effect.undefined
  const millis = DurationInput.toMillis(timeout)
  if (millis !== undefined && millis >= 0) return Effect.succeed(Number.isFinite(millis) ? millis : undefined)
  const rule = 'a duration such as 500 (milliseconds) or "5 seconds", not below 0'
  return Effect.fail(new InvalidArgument({ argument, value: DurationInput.format(timeout), rule }))
}

/** A number above 0 that is finite. */
export const checkPositive = (value: number, argument: string): Effect.Effect<number, InvalidArgument> =>
  value > 0 && value <= Number.MAX_SAFE_INTEGER
    ? Effect.succeed(value)
    : Effect.fail(new InvalidArgument({ argument, value: String(value), rule: "it has to be finite and above 0" }))

/** A whole number from `least` (default 1) to `most`, which may be infinite; undefined stays undefined. */
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
