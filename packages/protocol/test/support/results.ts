import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import { JuteError } from "../../src/JuteError.ts"

/** The value of a Result that must be one. */
export const succeeds = <A, E>(result: Result.Result<A, E>): A => {
  if (Result.isSuccess(result)) return result.success
  throw result.failure
}

/** The error of a Result that must be a `JuteError`. */
export const fails = (result: Result.Result<unknown, JuteError>): JuteError => {
  assert.isTrue(Result.isFailure(result), "decoding should have failed")
  if (Result.isSuccess(result)) throw new Error("unreachable")
  assert.instanceOf(result.failure, JuteError)
  return result.failure
}
