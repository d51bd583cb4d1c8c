/**
 * Checks of the arguments of recipes.
 */
import * as ArgumentCheck from "@effect-zookeeper/client/ArgumentCheck"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"

export { checkCount, checkTimeout } from "@effect-zookeeper/client/ArgumentCheck"

/** A valid path, and not "/" unless it `mayBeRoot`. */
export const checkPath = (path: string, mayBeRoot = false): Effect.Effect<string, InvalidArgument> =>
  path === "/" && !mayBeRoot
    ? Effect.fail(new InvalidArgument({ argument: "path", value: path, rule: "a recipe needs a znode of its own" }))
    : ArgumentCheck.checkPath(path)

/** A number above 0 that is finite. */
export const checkPositive = (value: number, argument: string): Effect.Effect<number, InvalidArgument> =>
  value > 0 && value <= Number.MAX_SAFE_INTEGER
    ? Effect.succeed(value)
    : Effect.fail(new InvalidArgument({ argument, value: String(value), rule: "it has to be finite and above 0" }))
