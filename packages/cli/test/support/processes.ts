/** The executable `zk` as a process. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../src/internal/zk.ts", import.meta.url))

export interface Running {
  readonly child: ChildProcess.ChildProcess
  /** The text for people that it has printed so far. */
  readonly err: () => string
  /** The exit code, and everything that was printed. */
  readonly end: Effect.Effect<{ readonly code: number | null; readonly out: string; readonly err: string }>
}

/** Starts `zk` with these arguments. It is killed with the Scope. */
export const start = (servers: string, args: ReadonlyArray<string>): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = ChildProcess.spawn(process.execPath, [script, ...args], {
        env: { ...process.env, ZK_SERVERS: servers },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let out = ""
      let err = ""
      child.stdout.on("data", (chunk) => (out += String(chunk)))
      child.stderr.on("data", (chunk) => (err += String(chunk)))
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
      return { child, err: () => err, end: Effect.promise(async () => ({ code: await ended, out, err })) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )
