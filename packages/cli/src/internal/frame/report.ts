/** The last words of a command that failed. */
import * as Printable from "@effect-zookeeper/client/Printable"
import type * as Effect from "effect/Effect"
import type * as Stdio from "effect/Stdio"
import type * as Output from "../../Output.ts"
import { printError } from "../output/printError.ts"
import { escapeText } from "../output/text.ts"

/** One line on the standard error, of text or of JSON. */
export const reportFailure = (
  stdio: Stdio.Stdio,
  error: (typeof Output.Failure.Type)["error"],
  isJson: boolean,
  details = ""
): Effect.Effect<void> => {
  const line = isJson ? JSON.stringify({ error }) : `zk: ${Printable.escapeAll(error.message)}`
  return printError(stdio, details === "" ? `${line}\n` : `${line}\n${escapeText(details)}\n`)
}
