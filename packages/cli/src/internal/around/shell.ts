/** `zk shell`: a prompt whose lines are commands, over one session. */
import { NoNode } from "@effect-zookeeper/client/Errors"
import type * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { Client, type Reader } from "../frame/Client.ts"
import { CurrentZnode, resolvePath } from "../frame/CurrentZnode.ts"
import { CommandEnded, FileError, UsageError } from "../frame/errors.ts"
import { reasonOf } from "../frame/reasons.ts"
import { explain, tagOf } from "../frame/explain.ts"
import { reportFailure } from "../frame/report.ts"
import { RunCommand } from "../frame/RunCommand.ts"
import { askAuth } from "../frame/Settings.ts"
import { SharedClient } from "../frame/sharedClient.ts"
import * as ExitCode from "../../ExitCode.ts"
import { shown } from "../output/text.ts"
import { Printer } from "../output/Printer.ts"
import { isKept, openHistory } from "./history.ts"
import { makeShared } from "./promptClient.ts"
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
      Stream.mapError((error) => new FileError({ message: `the standard input cannot be read: ${reasonOf(error)}` }))
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
  let shared = yield* makeShared((yield* Client).settings)
  const { session } = shared
  const stdio = yield* Stdio.Stdio
  const output = withLineEnds(stdio)
  const run = yield* RunCommand
  const { write } = yield* Printer
  let current = start
  let previous = start
  const fail = (error: unknown) => {
    const exitCode = ExitCode.of(error)
    return Effect.as(reportFailure(stdio, { tag: tagOf(error), message: explain(error), exitCode }, false), exitCode)
  }
  const ask = <A, E>(question: (zk: Reader) => Effect.Effect<A, E>) => {
    const client = shared.client(shared.settings)
    return Effect.raceFirst(Effect.scoped(Effect.flatMap(client.reader, question)), client.outage ?? Effect.never)
  }
  const change = Effect.fnUntraced(function* (to: string) {
    const path = to === "-" ? previous : resolvePath(current, to)
    if (Option.isNone(yield* ask((zk) => zk.stat(path)))) return yield* new NoNode({ path, operation: "exists" })
    previous = current
    current = path
    return 0
  })
  yield* change(start)
  const runWords = (words: ReadonlyArray<string>) =>
    run(words).pipe(
      Effect.provideService(CurrentZnode, current),
      Effect.provideService(SharedClient, shared),
      Effect.provideService(Stdio.Stdio, { ...output.stdio, stdin: Stream.fail(noInput) }),
      Effect.ensuring(output.endLine)
    )
  const addAuth = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
    const { auth, sasl } = yield* askAuth(words.join(":"), {
      what: "addauth",
      seen: "it would stay on the screen"
      // Some milliseconds later the terminal is as it was, and may be that of the prompt again.
    }).pipe(Effect.ensuring(Effect.sleep("50 millis")))
    if (sasl !== undefined) {
      const message = "a connection begins with the user of sasl: leave, and start `zk shell --user sasl:NAME`"
      return yield* new UsageError({ message })
    }
    shared = yield* shared.withAuth(auth)
    return 0
  })
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
    session,
    current: () => current,
    complete: (complete: ReturnType<typeof makeCompleter>, line: string) =>
      Effect.timeout(
        ask((zk) => complete(zk, current, line)),
        "2 seconds"
      ),
    run: (line: string): Effect.Effect<number | "exit", never, Command.Environment> => {
      const { mistake, words } = split(line)
      if (mistake !== undefined) return fail(new UsageError({ message: mistake }))
      const [command, ...rest] = words[0] === "zk" ? words.slice(1) : words
      if (command === undefined) return Effect.succeed(0)
      if (command === "exit" || command === "quit") return Effect.succeed("exit")
      if (command === "addauth") return Effect.catch(addAuth(rest), fail)
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
  addauth USER      Ask for the password of a user, as of digest:ann, whom the session has from then on
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

/** Ends the last line of what a command has written, as a shell shows it; what it wrote may be data without an end. */
const withLineEnds = (stdio: Stdio.Stdio) => {
  let isOpen = false
  const seen = (chunk: string | Uint8Array) => {
    const last = typeof chunk === "string" ? chunk.slice(-1) : chunk.at(-1)
    if (last !== undefined && last !== "") isOpen = last !== "\n" && last !== 10
    return chunk
  }
  const ended = Stdio.make({ ...stdio, stdout: (options) => Sink.mapInput(stdio.stdout(options), seen) })
  const endLine = Effect.suspend(() =>
    isOpen ? Effect.ignore(Stream.run(Stream.make("\n"), ended.stdout({ endOnDone: false }))) : Effect.void
  )
  return { stdio: ended, endLine }
}

/** Reads lines from a terminal until Ctrl-D or `exit`. Ctrl-C ends the command that runs. */
const interactive = Effect.fnUntraced(function* (root: Command.Command.Any, prompt: Prompt) {
  const { note } = yield* Printer
  const history = yield* openHistory
  const complete = makeCompleter(root)
  const context = yield* Effect.context<never>()
  const lines = [...history.lines]
  const nextLine = makeTerminalLines({
    history: lines,
    isKept,
    complete: (line, done) => {
      Effect.runCallbackWith(context)(prompt.complete(complete, line), {
        onExit: (exit) => done(Exit.isSuccess(exit) ? exit.value : [[], ""])
      })
    }
  })
  const { session } = prompt
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
