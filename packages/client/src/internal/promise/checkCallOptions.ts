/**
 * What says how one call of the Promise API is made.
 */
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type { CallOptions } from "../../PromiseAdapter.ts"

const callOptions = KnownOptions.make<CallOptions>({ signal: true }, "{ signal }")

/** What is wrong with how a call is made, if anything. */
export const checkCallOptions = (options: unknown): InvalidArgument | undefined => {
  const mistake = KnownOptions.check(callOptions, options, "call")
  if (mistake !== undefined) return mistake
  const signal = (options as CallOptions | undefined)?.signal
  return signal === undefined || signal instanceof AbortSignal
    ? undefined
    : new InvalidArgument({ argument: "call", value: typeof signal, rule: "a signal must be an AbortSignal" })
}
