/**
 * The scripts of the workspace as child processes.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import type * as Stream from "node:stream"
import { fileURLToPath } from "node:url"

/** Of `npx -y pnpm@12 <name>`. */
const scriptFile = (name: string): string => fileURLToPath(new URL(`../../../../scripts/${name}.ts`, import.meta.url))

/** Starts a script that runs until it is stopped; it is killed with the Scope. */
export const start = (name: string, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, [scriptFile(name), ...args], { stdio: ["ignore", "pipe", "ignore"] })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

type Child = ChildProcess.ChildProcessByStdio<null, Stream.Readable, null>

/** The first output of a script on stdout. */
export const firstLine = (child: Child) =>
  Effect.callback<string>((resume) => {
    let text = ""
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString()
      if (text.endsWith("\n")) resume(Effect.succeed(text.trim()))
    })
  })

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
    const child = ChildProcess.execFile(process.execPath, [scriptFile(name), ...args], { env }, (_, stdout, stderr) =>
      resume(Effect.succeed({ code: child.exitCode, stdout, stderr }))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })
