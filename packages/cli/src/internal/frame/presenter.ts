/** How help, the version and mistakes on the command line are shown: help on request, a mistake in one line. */
import * as Effect from "effect/Effect"
import type * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as CliOutput from "effect/cli/CliOutput"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import { reportFailure } from "./report.ts"
import * as ExitCode from "../../ExitCode.ts"

export const makePresenter = (
  stdio: Stdio.Stdio,
  isJson: boolean,
  args: ReadonlyArray<string>
): CliOutput.Presenter => ({
  present: (event) =>
    Effect.gen(function* () {
      const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
      const formatter = CliOutput.defaultFormatter({ colors: canColor, globalFlags: "summary" })
      switch (event._tag) {
        case "Help":
          return yield* print(stdio, formatter.formatHelpDoc(event.helpDoc))
        case "Version":
          return yield* print(stdio, `${event.name} ${event.version}`)
        case "InvalidInvocation": {
          const [first] = event.errors
          // Only mistakes need it.
          const { hintFor } = yield* Effect.promise(() => import("./otherShells.ts"))
          const hint = hintFor(first, args)
          const text = first?.message ?? "the command line has a mistake"
          // A hint is better than the names that look alike.
          const mistake = (hint === undefined ? text : text.replace(/\n[^]*$/, "")).replaceAll(/\s*\n\s*/g, " ")
          const see = `see ${event.commandPath.join(" ")} --help`
          const message = `${mistake.replace(/\.$/, "")}; ${hint === undefined ? see : `${hint}; ${see}`}`
          return yield* reportFailure(
            stdio,
            { tag: first?._tag ?? "UsageError", message, exitCode: ExitCode.codes.usage },
            isJson
          )
        }
      }
    })
})

// ---- internal

const print = (stdio: Stdio.Stdio, text: string) =>
  Stream.make(`${text}\n`).pipe(Stream.run(stdio.stdout({ endOnDone: false })), Effect.ignore)
