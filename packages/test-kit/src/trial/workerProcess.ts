/**
 * A process of a trial: it is started with its orders in the first argument, says single words, and ends when its input does.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"

export interface WorkerProcess {
  readonly pid: number
  /** Waits until it has said a word. */
  readonly said: (word: string) => Effect.Effect<void>
  readonly write: (line: string) => Effect.Effect<void>
  readonly endInput: Effect.Effect<void>
}

/** Runs a script of this folder; killed with the Scope. `name` is for the message if it ends too early. */
export const start = (
  name: string,
  script: "recipeWorker.ts" | "ownersWorker.ts",
  orders: string
): Effect.Effect<WorkerProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const file = fileURLToPath(new URL(script, import.meta.url))
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => ChildProcess.spawn(process.execPath, [file, orders], { stdio: ["pipe", "pipe", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    return {
      pid: child.pid ?? 0,
      said: (word) =>
        Effect.callback((resume) => {
          const look = () => {
            if (output.includes(word)) resume(Effect.void)
          }
          child.stdout.on("data", look)
          child.once("exit", () => resume(Effect.die(new Error(`${name} ended before it was ${word}: ${output}`))))
          look()
          return Effect.sync(() => child.stdout.off("data", look))
        }),
      write: (line) => Effect.sync(() => void child.stdin.write(`${line}\n`)),
      endInput: Effect.sync(() => void child.stdin.end())
    }
  })
