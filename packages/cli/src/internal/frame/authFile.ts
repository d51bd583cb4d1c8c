/** Credentials as text: a line `scheme:credentials` for each, with empty lines and comments that begin with "#". */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { UsageError } from "./errors.ts"

/** The error names the line, and nothing of its text. */
export const parseAuth = Effect.fnUntraced(function* (source: string, text: Redacted.Redacted<string>) {
  const auth: Array<{ readonly scheme: string; readonly credentials: Redacted.Redacted<string> }> = []
  for (const [index, raw] of Redacted.value(text).split("\n").entries()) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) continue
    const colon = line.indexOf(":")
    if (colon <= 0) {
      return yield* new UsageError({
        message: `line ${index + 1} of ${source} is not scheme:credentials, as in digest:user:password`
      })
    }
    auth.push({ scheme: line.slice(0, colon), credentials: Redacted.make(line.slice(colon + 1)) })
  }
  return auth
})
