/** The command `zk`: from its arguments to its exit code. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Stdio from "effect/Stdio"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as ExitCode from "../ExitCode.ts"
import { makeAround } from "./frame/aroundCommands.ts"
import { backups, files } from "./frame/backupCommands.ts"
import { change } from "./frame/changeCommands.ts"
import { diagnose } from "./frame/diagnoseCommands.ts"
import { completionArgs, isCompletion } from "./frame/connectionFlags.ts"
import { CommandEnded, NotStarted } from "./frame/errors.ts"
import { explain, tagOf } from "./frame/explain.ts"
import * as GlobalFlags from "./frame/globalFlags.ts"
import { guards } from "./frame/guardCommands.ts"
import { look } from "./frame/lookCommands.ts"
import { recipes } from "./frame/recipeCommands.ts"
import { pages } from "./frame/uiCommands.ts"
import { watching } from "./frame/watchCommands.ts"
import { makePresenter } from "./frame/presenter.ts"
import { reportFailure } from "./frame/report.ts"
import { RunCommand } from "./frame/RunCommand.ts"
import { Version } from "./frame/Version.ts"

export const zk = Command.make("zk").pipe(
  Command.withDescription(
    "Look at the tree of a ZooKeeper ensemble, change it, guard commands by locks, and diagnose its members.\n\n" +
      "  A setting comes from the command line, or else from the profile that --profile names, or else from the\n" +
      "  environment, or else from the profile that ZK_PROFILE names. The profile `default` is for commands\n" +
      "  that name neither a profile nor servers. Any of them can say read-only.\n" +
      "  A file of profiles has a table for each, with the names of the flags in camel case:\n\n" +
      "    [prod]\n" +
      '    servers = "zk1:2181,zk2:2181/app"\n' +
      '    authFile = "prod.auth"\n' +
      "    readOnly = true\n\n" +
      "  Exit codes: 0 done, 1 failed, 2 usage, 3 no such znode, 4 conflict, 5 no server reached, 6 not permitted,\n" +
      "  7 session or lock lost, 124 timeout, 129 ended by a closed terminal, 130 interrupted, 143 ended by SIGTERM.\n" +
      "  Ctrl-C ends watch and tail with 130, too; the view of top is left by it with 0, as by q."
  ),
  Command.withExamples([
    { command: "zk ls /", description: "The children of the root, on localhost:2181" },
    { command: "zk tree /app --servers zk1:2181,zk2:2181", description: "A subtree, on other servers" },
    { command: "zk get /app/config --profile prod", description: "Servers, credentials and TLS from a profile" }
  ]),
  Command.withSubcommands([
    { group: "LOOK", commands: look },
    { group: "CHANGE", commands: change },
    { group: "WATCH", commands: watching },
    { group: "GUARD", commands: guards },
    { group: "RECIPES", commands: recipes },
    { group: "DIAGNOSE", commands: diagnose },
    { group: "PAGE", commands: pages },
    { group: "BACKUP", commands: backups },
    { group: "FILES", commands: files },
    { group: "AROUND", commands: makeAround((): Command.Command.Any => zk) }
  ]),
  Command.withGlobalFlags(GlobalFlags.all)
)

/** Runs `zk`, and gives its exit code. All output goes to `Stdio`. */
export const main = (
  given: ReadonlyArray<string>,
  version: string
): Effect.Effect<number, never, Command.Environment> =>
  Effect.gen(function* () {
    const args = isCompletion(given) ? completionArgs(given) : given[0] === "help" ? helpArgs(given.slice(1)) : given
    const stdio = yield* Stdio.Stdio
    // Before they are parsed, for that may be what fails.
    const flags = new Set(args.includes("--") ? args.slice(0, args.indexOf("--")) : args)
    const isJson = flags.has("--json") || flags.has("--ndjson")
    const isVerbose = flags.has("--verbose")
    const exit = yield* Command.runWith(zk, { version, renderErrors: true })(args).pipe(
      Effect.provideService(CliConfig.CliConfig, {
        builtIns: [GlobalFlag.Help, GlobalFlags.Version]
      }),
      Effect.provideService(CliOutput.Presenter, makePresenter(stdio, isJson, args)),
      // From Stdio and the configuration, so that tests can be a terminal.
      Effect.provide(TerminalCapabilities.layer),
      Effect.provideService(Version, version),
      Effect.provideService(RunCommand, (args) => main(args, version)),
      Effect.provideService(References.MinimumLogLevel, isVerbose ? "Debug" : "None"),
      Effect.provideService(Logger.LogToStderr, true),
      Effect.exit
    )
    if (Exit.isSuccess(exit)) return ExitCode.codes.ok
    const { cause } = exit
    if (Cause.hasInterruptsOnly(cause)) return 130
    const error = Cause.squash(cause)
    if (CliError.isCliError(error) && error._tag === "ShowHelp") {
      return error.errors.length === 0 ? ExitCode.codes.ok : ExitCode.codes.usage
    }
    if (tagOf(error) === "OutputClosed") return ExitCode.codes.ok
    if (error instanceof CommandEnded) return error.exitCode
    const exitCode = error instanceof NotStarted ? error.exitCode : ExitCode.of(error)
    yield* reportFailure(
      stdio,
      { tag: tagOf(error), message: explain(error), exitCode },
      isJson,
      isVerbose ? Cause.pretty(cause) : ""
    )
    return exitCode
  })

// ---- internal

/** `zk help ls` is `zk ls --help`. A command that does not exist gets the message that it gets without `help`. */
const helpArgs = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [command = ""] = words
  const exists = zk.subcommands.some(({ commands }) => commands.some(({ name }) => name === command))
  return command === "" || command.startsWith("-") || exists ? [...words, "--help"] : [command]
}
