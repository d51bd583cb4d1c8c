/** Signals between `zk` and the command that it runs. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Os from "node:os"

/** Signals for this process go to the command, and its end is the end of this process. */
export const passSignals = (pass: (signal: NodeJS.Signals) => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        // Those who listen until now would interrupt `zk` instead.
        const taken = interrupting.map((signal) => [signal, process.listeners(signal)] as const)
        for (const signal of interrupting) process.removeAllListeners(signal)
        const listeners = passed.map((signal) => [signal, () => pass(signal)] as const)
        for (const [signal, listener] of listeners) process.on(signal, listener)
        return { taken, listeners }
      }),
      ({ listeners, taken }) =>
        Effect.sync(() => {
          for (const [signal, listener] of listeners) process.off(signal, listener)
          for (const [signal, before] of taken) for (const listener of before) process.on(signal, listener)
        })
    )
  )

/** The exit code of a process that has ended: its own, or 128 and the number of the signal. */
export const exitCodeOf = ({
  code,
  signal
}: {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}): number => code ?? 128 + (signal === null ? 0 : Os.constants.signals[signal])

/** The names of the signals of this system. */
export const isSignal = (name: string): name is NodeJS.Signals => Object.hasOwn(Os.constants.signals, name)

// ---- internal

const interrupting = ["SIGINT", "SIGTERM", "SIGHUP"] as const
const passed = [...interrupting, "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const
