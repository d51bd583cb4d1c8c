import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import { JuteError } from "../../src/JuteError.ts"

/** The value of a Result that must be one. */
export const succeeds = <A, E>(result: Result.Result<A, E>): A => Result.getOrThrow(result)

/** The error of a Result that must be a `JuteError`. */
export const fails = (result: Result.Result<unknown, JuteError>): JuteError => {
  const error = Result.getOrThrowWith(Result.flip(result), () => new Error("decoding should have failed"))
  assert.instanceOf(error, JuteError)
  return error
}
