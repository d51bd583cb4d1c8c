/** A process of a trial: started with its orders in the first argument, it prints words, and ends when its input does. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"

export interface WorkerProcess {
  readonly pid: number
  /**
   * Waits for the next line that begins with a word, and gives the rest of it. Lines between are skipped, as those of a
   * log.
   */
  readonly hear: (word: string) => Effect.Effect<string>
  /** Everything that it has printed so far, by lines. */
  readonly printed: () => ReadonlyArray<string>
  readonly write: (line: string) => Effect.Effect<void>
  readonly endInput: Effect.Effect<void>
}

/** Runs a script of this folder, or another; killed with the Scope. `name` is for the message if it ends too early. */
export const start = Effect.fnUntraced(function* (
  name: string,
  script: "lockHolder.ts" | "ownersWorker.ts" | "recipeWorker.ts" | URL,
  orders: string
): Effect.fn.Return<WorkerProcess, never, Scope.Scope> {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => ChildProcess.spawn(process.execPath, [file, orders], { stdio: ["pipe", "pipe", "inherit"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const lines = yield* Queue.unbounded<string>()
  const output: Array<string> = []
  Readline.createInterface({ input: child.stdout })
    .on("line", (line) => {
      output.push(line)
      Queue.offerUnsafe(lines, line)
    })
    .once("close", () => Queue.failCauseUnsafe(lines, Cause.die(new Error(`${name} has ended: ${output.join("\n")}`))))
  const hear = (word: string): Effect.Effect<string> =>
    Effect.flatMap(Queue.take(lines), (line) => {
      const [first, ...rest] = line.split(" ")
      return first === word ? Effect.succeed(rest.join(" ")) : hear(word)
    })
  return {
    pid: child.pid ?? 0,
    hear,
    printed: () => output,
    write: (line) => Effect.sync(() => void child.stdin.write(`${line}\n`)),
    endInput: Effect.sync(() => void child.stdin.end())
  }
})
