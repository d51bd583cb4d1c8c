/**
 * A child process that cannot outlive its parent, however the parent dies.
 *
 * Between the two is a shell that reads a pipe which only the parent holds. When the parent is gone, a SIGKILL
 * included, the pipe ends: the shell kills the child and removes the folder. As the shell has not reaped the child
 * before, the process id cannot have gone to another process.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import type * as Stream from "node:stream"
import { ZooKeeperServerError } from "../../ZooKeeperError.ts"

export interface GuardedProcess {
  /** The id of the child itself, not of its guard. */
  readonly pid: number
  /** Completes when the child has exited, for whatever reason. */
  readonly exited: Effect.Effect<void>
  readonly isRunning: () => boolean
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Dismisses the guard, which kills the child if it still runs and leaves the folder alone. */
  readonly release: Effect.Effect<void>
}

export interface Options {
  readonly command: readonly [string, ...Array<string>]
  /** Removed when the parent dies. */
  readonly folder: string
  /** Where the child's output goes. */
  readonly logFile: string
  /** Set when the command is `docker run`: signals then go to this container. */
  readonly container?: string | undefined
}

/** $1: the folder, $2: the container or nothing, the rest: the command. */
const guardScript = `
folder=$1 container=$2; shift 2
"$@" </dev/null & child=$!
echo "$child" >&3; exec 3>&-
read -r word
[ -z "$container" ] || docker rm -f "$container" >/dev/null 2>&1
kill -9 "$child" 2>/dev/null
wait "$child" 2>/dev/null
[ "$word" = release ] || rm -rf "$folder"
`

/** Starts a process. It is for the caller to `release` it: no Scope is involved. */
export const start = (options: Options): Effect.Effect<GuardedProcess, ZooKeeperServerError> =>
  Effect.callback((resume) => {
    const log = Fs.openSync(options.logFile, "a")
    // Detached: a Ctrl-C at the terminal reaches the parent alone, which then stops its servers in order.
    const guard = ChildProcess.spawn(
      "sh",
      ["-c", guardScript, "guard", options.folder, options.container ?? "", ...options.command],
      { detached: true, stdio: ["pipe", log, log, "pipe"] }
    )
    Fs.closeSync(log)
    const exited = Deferred.makeUnsafe<void>()
    const guardExited = Deferred.makeUnsafe<void>()
    let running = true
    let reported = ""
    const fail = (reason: string) =>
      resume(Effect.fail(new ZooKeeperServerError({ server: options.command[0], action: "start", reason })))

    guard.once("error", (error) => fail(error.message))
    guard.once("exit", () => Deferred.doneUnsafe(guardExited, Effect.void))
    guard.stdin?.on("error", () => {})
    // The child inherits the write end of this pipe: its end is the child's exit.
    const report = guard.stdio[3] as Stream.Readable
    report.on("data", (chunk: Buffer) => {
      reported += chunk.toString("latin1")
      if (!reported.endsWith("\n")) return
      const pid = Number.parseInt(reported, 10)
      resume(
        Effect.succeed({
          pid,
          exited: Deferred.await(exited),
          isRunning: () => running,
          signal: (signal) => Effect.sync(() => running && send(options.container, pid, signal)),
          release: Effect.suspend(() => {
            guard.stdin?.end("release\n")
            return Deferred.await(guardExited)
          })
        })
      )
    })
    const ended = () => {
      running = false
      Deferred.doneUnsafe(exited, Effect.void)
      fail("the process ended before it began")
    }
    report.once("end", ended)
    report.once("error", ended)
  })

const send = (container: string | undefined, pid: number, signal: NodeJS.Signals): void => {
  if (container !== undefined) {
    ChildProcess.spawnSync("docker", ["kill", "--signal", signal, container], { stdio: "ignore" })
    return
  }
  try {
    process.kill(pid, signal)
  } catch {
    // It has just exited by itself.
  }
}
