/** A command that runs in a process group of its own, or in the one of `zk`. */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as ChildProcess from "node:child_process"
import { NotStarted } from "../frame/errors.ts"
import { reasonOf, startExitCode } from "../frame/reasons.ts"
import { isAlive, signalGroup } from "../guard/messages.ts"
import { exitCodeOf } from "../guard/signals.ts"

export interface CommandProcess {
  /** The exit code of the command, once it has ended. */
  readonly end: Effect.Effect<number, NotStarted>
  /** Sends a signal to all processes of the group. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Ends all processes of the group: SIGTERM, and SIGKILL after the time of grace. */
  readonly stop: Effect.Effect<void>
}

/** Starts a command. With `ownGroup` it has no terminal, and all of its processes end with it when it is stopped. */
export const startCommand = (
  command: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  { grace, ownGroup }: { readonly ownGroup: boolean; readonly grace: Duration.Duration }
): Effect.Effect<CommandProcess> =>
  Effect.sync(() => {
    const [file = "", ...args] = command
    const ended = Deferred.makeUnsafe<number, NotStarted>()
    const child = ChildProcess.spawn(file, args, {
      stdio: "inherit",
      detached: ownGroup,
      env: { ...process.env, ...env }
    })
    child.once("error", (error) => {
      const message = `the command could not be started: ${file}: ${reasonOf(error, "program")}`
      Deferred.doneUnsafe(ended, Effect.fail(new NotStarted({ message, exitCode: startExitCode(error) })))
    })
    child.once("exit", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed(exitCodeOf({ code, signal }))))
    const { pid } = child
    const isRunning = () => pid !== undefined && (ownGroup ? isAlive(pid) : !Deferred.isDoneUnsafe(ended))
    const signal = (signal: NodeJS.Signals): void => {
      if (pid === undefined) return
      if (ownGroup) signalGroup(pid, signal)
      else child.kill(signal)
    }
    const isOver = Effect.repeat(
      Effect.sync(() => !isRunning()),
      { until: (over) => over, schedule: Schedule.spaced("20 millis") }
    )
    return {
      end: Deferred.await(ended),
      signal,
      stop: Effect.suspend(() => {
        signal("SIGTERM")
        // A stopped process gets no other signal.
        signal("SIGCONT")
        return Effect.timeoutOption(isOver, grace)
      }).pipe(
        Effect.flatMap((over) => {
          if (Option.isSome(over)) return Effect.void
          signal("SIGKILL")
          return Effect.asVoid(Effect.timeoutOption(isOver, "1 second"))
        })
      )
    }
  })
