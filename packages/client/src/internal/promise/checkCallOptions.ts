/**
 * Checks the options of one call of the Promise API.
 */
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type { CallOptions } from "./Run.ts"

const callOptions = KnownOptions.make<CallOptions>({ signal: true }, "{ signal }")

/** The rule that the options of a call break, if any. */
export const checkCallOptions = (options: unknown): InvalidArgument | undefined => {
  const mistake = KnownOptions.check(callOptions, options, "call")
  if (mistake !== undefined) return mistake
  const signal = (options as CallOptions | undefined)?.signal
  return signal === undefined || signal instanceof AbortSignal
    ? undefined
    : new InvalidArgument({ argument: "call", value: typeof signal, rule: "a signal must be an AbortSignal" })
}
