/** A command that is started again, or gets a signal, when what it is configured by has changed. */
import * as Effect from "effect/Effect"
import type * as Duration from "effect/Duration"
import * as Queue from "effect/Queue"
import { parseDuration } from "../frame/durations.ts"
import { CommandEnded, UsageError } from "../frame/errors.ts"
import { isSignal, passSignals } from "../guard/signals.ts"
import { Printer } from "../output/Printer.ts"
import { type CommandProcess, startCommand } from "./commandProcess.ts"

/** The flags of the commands that follow a subtree. */
export interface FollowFlags {
  readonly command: ReadonlyArray<string>
  readonly signal: string | undefined
  readonly once: boolean
  readonly settle: string
  readonly grace: string
}

/** The same, checked. */
export interface Plan {
  readonly command: ReadonlyArray<string>
  /** The signal at a change; without one the command is started again. */
  readonly signal: NodeJS.Signals | undefined
  /** Whether changes are followed: then the command has a process group of its own, and no terminal. */
  readonly follows: boolean
  readonly settle: Duration.Duration
  readonly grace: Duration.Duration
}

/** Checks the flags before anything is sent. */
export const planOf = Effect.fnUntraced(function* (flags: FollowFlags): Effect.fn.Return<Plan, UsageError> {
  const { command, once } = flags
  const signal = yield* signalOf(flags)
  const settle = yield* parseDuration("--settle", flags.settle)
  const grace = yield* parseDuration("--grace", flags.grace)
  if (!once && command.length > 0 && process.platform === "win32") {
    return yield* new UsageError({
      message: "to follow a subtree needs process groups, which Windows does not have; see --once"
    })
  }
  return { command, signal, follows: !once, settle, grace }
})

/**
 * Runs the command, and ends with its exit code. `take` takes the next state over, and says what has changed, or undefined
 * where the command need not know.
 */
export const supervise = <A, R>(options: {
  readonly plan: Plan
  readonly first: A
  readonly changes: Queue.Dequeue<A> | undefined
  readonly variables: (state: A) => Readonly<Record<string, string>>
  readonly take: (next: A, before: A) => Effect.Effect<string | undefined, never, R>
}) =>
  Effect.gen(function* () {
    const { changes, first, plan, take, variables } = options
    const { command, follows, grace, signal } = plan
    const { note } = yield* Printer
    let running: CommandProcess | undefined
    let state = first
    yield* passSignals((signal) => {
      // A terminal has sent them to the command too.
      const isFromTerminal = !follows && process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT")
      if (!isFromTerminal) running?.signal(signal)
    })
    yield* Effect.addFinalizer(() => Effect.suspend(() => running?.stop ?? Effect.void))
    const nextState = changes === undefined ? Effect.never : Effect.map(Queue.take(changes), (state) => ({ state }))
    while (true) {
      running ??= yield* startCommand(command, variables(state), { ownGroup: follows, grace })
      const next = yield* Effect.raceFirst(
        Effect.map(running.end, (exitCode) => ({ exitCode })),
        nextState
      )
      if ("exitCode" in next) {
        running = undefined
        return yield* new CommandEnded({ exitCode: next.exitCode })
      }
      const change = yield* take(next.state, state)
      state = next.state
      if (change === undefined) continue
      yield* note(`${change}: ${signal === undefined ? "the command is started again" : `the command gets ${signal}`}`)
      if (signal !== undefined) {
        running.signal(signal)
      } else {
        yield* running.stop
        running = undefined
      }
    }
  }).pipe(Effect.scoped)

// ---- internal

const signalOf = ({ once, signal }: FollowFlags) => {
  if (signal === undefined) return Effect.undefined
  if (once) return Effect.fail(new UsageError({ message: "--once and --signal exclude each other: choose one" }))
  const name = signal.startsWith("SIG") ? signal : `SIG${signal}`
  return isSignal(name)
    ? Effect.succeed(name)
    : Effect.fail(
        new UsageError({ message: `--signal ${JSON.stringify(signal)} is no signal; write it as in HUP or USR1` })
      )
}
