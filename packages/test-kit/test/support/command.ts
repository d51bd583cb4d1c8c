/**
 * The scripts of the workspace as child processes.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Readline from "node:readline"
import type * as Stream from "node:stream"
import { fileURLToPath } from "node:url"

/** Of `npx -y pnpm@12 <name>`. */
const scriptFile = (name: string): string => fileURLToPath(new URL(`../../../../scripts/${name}.ts`, import.meta.url))

/** Starts a script that runs until it is stopped; it is killed with the Scope. */
export const start = (name: string, ...args: ReadonlyArray<string>) => startFile(scriptFile(name), args, "ignore")

/** The same for any file. */
export const startFile = (file: string, args: ReadonlyArray<string>, stderr: "ignore" | "inherit" = "inherit") =>
  Effect.acquireRelease(
    Effect.sync(() => ChildProcess.spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", stderr] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

type Child = ChildProcess.ChildProcessByStdio<null, Stream.Readable, null>

/** The lines that a process prints on stdout, one after another. */
export const linesOf = ({ stdout }: Child): Effect.Effect<string> => {
  const lines = Readline.createInterface({ input: stdout })[Symbol.asyncIterator]()
  return Effect.flatMap(
    Effect.promise(() => lines.next()),
    ({ done, value }) =>
      done === true ? Effect.die(new Error("the process has ended")) : Effect.succeed(String(value))
  )
}

/** The first line that a process prints on stdout. */
export const firstLine = (child: Child): Effect.Effect<string> => Effect.suspend(() => linesOf(child))

/** Sends a signal and waits for the end. */
export const stop = (child: Child, signal: "SIGINT" | "SIGTERM") =>
  Effect.callback<void>((resume) => {
    child.once("exit", () => resume(Effect.void))
    child.kill(signal)
  })

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script to its end. */
export const run = (
  name: string,
  args: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv = process.env
): Effect.Effect<Outcome> =>
  Effect.callback((resume) => {
    const child = ChildProcess.execFile(
      process.execPath,
      [scriptFile(name), ...args],
      { env, maxBuffer: Infinity },
      (_, stdout, stderr) => resume(Effect.succeed({ code: child.exitCode, stdout, stderr }))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })
