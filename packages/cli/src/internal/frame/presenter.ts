/** How help, the version and mistakes on the command line are shown: help on request, a mistake in one line. */
import * as Effect from "effect/Effect"
import type * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as CliOutput from "effect/cli/CliOutput"
import type * as HelpDoc from "effect/cli/HelpDoc"
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
          return yield* print(stdio, formatter.formatHelpDoc(withOwnUsage(event.helpDoc)))
        case "Version":
          return yield* print(stdio, `${event.name} ${event.version}`)
        case "InvalidInvocation": {
          // Only mistakes need it.
          const { describeMistake } = yield* Effect.promise(() => import("./mistake.ts"))
          const message = describeMistake(event, args)
          return yield* reportFailure(
            stdio,
            { tag: event.errors[0]?._tag ?? "UsageError", message, exitCode: ExitCode.codes.usage },
            isJson
          )
        }
      }
    })
})

// ---- internal

/** The usage of a command that takes arguments itself, where it has subcommands beside them. */
const withOwnUsage = (doc: HelpDoc.HelpDoc): HelpDoc.HelpDoc =>
  doc.args === undefined || doc.args.length === 0 ? doc : { ...doc, usage: doc.usage.replace(" <subcommand>", "") }

const print = (stdio: Stdio.Stdio, text: string) =>
  Stream.make(`${text}\n`).pipe(Stream.run(stdio.stdout({ endOnDone: false })), Effect.ignore)
