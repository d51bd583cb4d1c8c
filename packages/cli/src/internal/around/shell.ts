/** `zk shell`: a prompt whose lines are commands, over one session. */
import { NoNode } from "@effect-zookeeper/client/Errors"
import type * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { Client, makeShared, SharedClient } from "../frame/Client.ts"
import { CurrentZnode, resolvePath } from "../frame/CurrentZnode.ts"
import { CommandEnded, FileError, UsageError } from "../frame/errors.ts"
import { explain, tagOf } from "../frame/explain.ts"
import { reportFailure } from "../frame/report.ts"
import { RunCommand } from "../frame/RunCommand.ts"
import * as ExitCode from "../../ExitCode.ts"
import { shown } from "../output/text.ts"
import { Printer } from "../output/Printer.ts"
import { openHistory } from "./history.ts"
import { makeCompleter } from "./shellCompletion.ts"
import { makeTerminalLines } from "./terminalLines.ts"
import { split } from "./words.ts"

export interface Input {
  readonly path: string
}

/** The command `shell` of a program. */
export const shellOf = (root: Command.Command.Any) =>
  Effect.fnUntraced(function* ({ path }: Input) {
    if ((yield* SharedClient) !== undefined)
      return yield* new UsageError({ message: "this is the prompt of `zk shell`" })
    const stdio = yield* Stdio.Stdio
    const prompt = yield* makePrompt(path)
    if (yield* stdio.stdinIsTerminal) return yield* interactive(root, prompt)
    const lines = stdio.stdin.pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.mapError((error) => new FileError({ message: `the standard input cannot be read: ${error.message}` }))
    )
    yield* Stream.runForEachWhile(
      Stream.zipWithIndex(lines),
      Effect.fnUntraced(function* ([line, index]) {
        const end = yield* prompt.run(line)
        if (end === "exit") return false
        if (end === 0) return true
        yield* (yield* Printer).note(`line ${index + 1} has failed; the lines after it are not run`)
        return yield* new CommandEnded({ exitCode: end })
      })
    )
  })

// ---- internal

type Prompt = Effect.Success<ReturnType<typeof makePrompt>>

/** Where the prompt is, and how it runs a line: the end is an exit code. */
const makePrompt = Effect.fnUntraced(function* (start: string) {
  const shared = yield* makeShared((yield* Client).settings)
  const zk = yield* shared.reader
  const stdio = yield* Stdio.Stdio
  const run = yield* RunCommand
  const { write } = yield* Printer
  let current = start
  let previous = start
  const fail = (error: unknown) => {
    const exitCode = ExitCode.of(error)
    return Effect.as(reportFailure(stdio, { tag: tagOf(error), message: explain(error), exitCode }, false), exitCode)
  }
  const change = Effect.fnUntraced(function* (to: string) {
    const path = to === "-" ? previous : resolvePath(current, to)
    if (Option.isNone(yield* zk.stat(path))) return yield* new NoNode({ path, operation: "exists" })
    previous = current
    current = path
    return 0
  })
  yield* change(start)
  const runWords = (words: ReadonlyArray<string>) =>
    run(words).pipe(
      Effect.provideService(CurrentZnode, current),
      Effect.provideService(SharedClient, shared),
      Effect.provideService(Stdio.Stdio, { ...stdio, stdin: Stream.fail(noInput) })
    )
  const runBuiltIn = Effect.fnUntraced(function* (command: string, [argument, ...more]: ReadonlyArray<string>) {
    if (more.length > 0) return yield* new UsageError({ message: `${command} takes one argument at most` })
    if (command === "cd") return yield* change(argument ?? "/")
    if (command === "help") {
      if (argument !== undefined) return yield* runWords([argument, "--help"])
      const code = yield* runWords(["--help"])
      yield* write(promptHelp)
      return code
    }
    yield* write(`${shown(current)}\n`)
    return 0
  })
  return {
    zk,
    current: () => current,
    run: (line: string): Effect.Effect<number | "exit", never, Command.Environment> => {
      const { mistake, words } = split(line)
      if (mistake !== undefined) return fail(new UsageError({ message: mistake }))
      const [command, ...rest] = words[0] === "zk" ? words.slice(1) : words
      if (command === undefined) return Effect.succeed(0)
      if (command === "exit" || command === "quit") return Effect.succeed("exit")
      if (["cd", "pwd", "help"].includes(command)) return Effect.catch(runBuiltIn(command, rest), fail)
      return runWords([command, ...rest])
    }
  }
})

/** After the help of `zk`, whose end is what the window shows. */
const promptHelp = `
AT THE PROMPT:
  cd [PATH]         Go to a znode; cd - goes back, and cd alone to /
  pwd               Print the path of the znode
  help [COMMAND]    This list, or the flags and examples of a command
  exit              End the prompt, as Ctrl-D does; Ctrl-C ends a command

  Paths without / at their beginning start at the znode of the prompt. zk before a command can be left out.

  A word is kept as it is typed, as in {"a":1} and C:\\temp. One that begins with a quote goes to the next quote, and may
  have spaces: 'two words'. Between double quotes, \\" and \\\\ are " and \\. Elsewhere a backslash before a space keeps the
  word together, and one before a quote or # at the beginning keeps that. # begins a comment.
`

const noInput = PlatformError.badArgument({
  module: "Stdio",
  method: "stdin",
  description: "at the prompt it has the lines of the prompt; name a file"
})

/** Reads lines from a terminal until Ctrl-D or `exit`. Ctrl-C ends the command that runs. */
const interactive = Effect.fnUntraced(function* (root: Command.Command.Any, prompt: Prompt) {
  const { note } = yield* Printer
  const history = yield* openHistory
  const complete = makeCompleter(root)
  const context = yield* Effect.context<never>()
  const lines = [...history.lines]
  const nextLine = makeTerminalLines({
    history: lines,
    complete: (line, done) => {
      Effect.runCallbackWith(context)(complete(prompt.zk, prompt.current(), line), {
        onExit: (exit) => done(Exit.isSuccess(exit) ? exit.value : [[], ""])
      })
    }
  })
  const { session } = prompt.zk
  yield* note("help lists the commands, Ctrl-C ends one, Ctrl-D ends the prompt")
  while (true) {
    const state = session.state._tag === "Connected" ? "" : " (not connected)"
    const line = yield* nextLine(`zk${state} ${shown(prompt.current())}> `)
    if (Option.isNone(line)) return yield* note("")
    yield* history.save(lines)
    if ((yield* untilCtrlC(prompt.run(line.value))) === "exit") return
  }
})

/** Takes SIGINT while an effect runs: it interrupts the effect instead of `zk`. */
const untilCtrlC = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | 130, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const taken = process.listeners("SIGINT")
      process.removeAllListeners("SIGINT")
      return taken
    }),
    () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
        const interrupt = () => fiber.interruptUnsafe()
        process.on("SIGINT", interrupt)
        const exit = yield* Effect.ensuring(
          Fiber.await(fiber),
          Effect.sync(() => process.off("SIGINT", interrupt))
        )
        return Exit.hasInterrupts(exit) ? (130 as const) : yield* exit
      }),
    (taken) =>
      Effect.sync(() => {
        for (const listener of taken) process.on("SIGINT", listener)
      })
  )
