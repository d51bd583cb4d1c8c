/** The fate of a request, as its end proves it. */
import type { Name } from "@effect-zookeeper/protocol/ServerError"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Outcome } from "./History.ts"

/** Errors that are a server's word, or ours before a byte was sent: the request was not done. */
const proofs: ReadonlySet<string> = new Set<Name | "InvalidArgument" | "TransactionFailed">([
  "BadVersion",
  "InvalidACL",
  "InvalidArgument",
  "NoAuth",
  "NoChildrenForEphemerals",
  "NoNode",
  "NodeExists",
  "NotEmpty",
  "TransactionFailed"
])

/**
 * Done, certainly not done, or unknown: a loss, a timeout, an expiry, an interruption and a defect prove nothing
 * unless the error says that nothing was sent.
 */
export const outcomeOf = (
  exit: Exit.Exit<unknown, unknown>
): { readonly outcome: Outcome; readonly error?: string } => {
  if (Exit.isSuccess(exit)) return { outcome: "ok" }
  const found = Cause.findErrorOption(exit.cause)
  if (Option.isNone(found))
    return { outcome: "info", error: Cause.hasInterrupts(exit.cause) ? "Interrupted" : "Defect" }
  const error = found.value
  const tag = textOf(error, "_tag") ?? "Unknown"
  // A refusal that does not say otherwise is the server's word.
  const refused = tag === "ServerRefused" && !is(error, "maybeApplied", true)
  const isProof = refused || proofs.has(tag) || is(error, "maybeApplied", false)
  return { outcome: isProof ? "fail" : "info", error: tag }
}

/** The tag of the error that ended an effect, for people. */
export const tagOf = (cause: Cause.Cause<unknown>): string => textOf(Cause.squash(cause), "_tag") ?? "a defect"

// ---- internal

const textOf = (error: unknown, key: string): string | undefined => {
  if (typeof error !== "object" || error === null) return undefined
  const value: unknown = Reflect.get(error, key)
  return typeof value === "string" ? value : undefined
}

const is = (error: unknown, key: string, value: boolean): boolean =>
  typeof error === "object" && error !== null && Reflect.get(error, key) === value
