/** A question before something that cannot be undone. */
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import { Declined, UsageError } from "../frame/errors.ts"
import { printError } from "../output/printError.ts"

/** Goes on after a yes, or with `--yes`. A script, which cannot be asked, has to say `--yes`. */
export const confirm = Effect.fnUntraced(function* (question: string, yes: boolean) {
  if (yes) return
  const stdio = yield* Stdio.Stdio
  if (!(yield* stdio.stdinIsTerminal)) {
    return yield* new UsageError({ message: `${question} There is no terminal to ask: confirm with --yes` })
  }
  const terminal = yield* Terminal.Terminal
  yield* printError(stdio, `${question} [y/N] `)
  const endLine = printError(stdio, "\n")
  const answer = yield* terminal.readLine.pipe(
    // The next text begins a line after Ctrl-C and Ctrl-D, as after Enter.
    Effect.onInterrupt(() => endLine),
    Effect.catch(() => Effect.as(endLine, ""))
  )
  if (!/^y(es)?$/i.test(answer.trim())) return yield* new Declined({ message: "nothing was changed" })
})
