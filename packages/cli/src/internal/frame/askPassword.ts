/** A password that a person types at the terminal. Nothing of it is shown. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import { printError } from "../output/printError.ts"
import { UsageError } from "./errors.ts"

/** Enter ends it, Ctrl-U begins it anew, and Ctrl-C ends the command. A script, which cannot be asked, needs a file. */
export const askPassword = Effect.fnUntraced(function* (user: string) {
  const stdio = yield* Stdio.Stdio
  if (!(yield* stdio.stdinIsTerminal)) {
    const message = `there is no terminal to ask for the password of ${user}: use --auth-file, ZK_AUTH_FILE or ZK_AUTH`
    return yield* new UsageError({ message })
  }
  yield* printError(stdio, `password of ${user}: `)
  const password = yield* readHidden.pipe(Effect.ensuring(printError(stdio, "\n")))
  // The terminal has it as a line, too, which would answer the next question.
  yield* Effect.timeoutOption((yield* Terminal.Terminal).readLine, "20 millis").pipe(Effect.ignore)
  return password
})

// ---- internal

const readHidden = Effect.gen(function* () {
  const keys = yield* (yield* Terminal.Terminal).readInput
  let typed: ReadonlyArray<string> = []
  while (true) {
    // The keys end with Ctrl-C, Ctrl-D and Esc, and with the terminal.
    const { input, key } = yield* Effect.catchTag(Queue.take(keys), "Done", () => Effect.interrupt)
    if (key.name === "return" || key.name === "enter") return Redacted.make(typed.join(""))
    if (key.name === "backspace") typed = typed.slice(0, -1)
    else if (key.ctrl && key.name === "u") typed = []
    else if (!key.ctrl && !key.meta) typed = [...typed, ...Option.getOrElse(input, () => "")]
  }
}).pipe(Effect.scoped)
