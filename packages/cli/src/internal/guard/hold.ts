/** A command that runs while something is held: its process group has ended before anyone else can hold it. */
import type { Service } from "@effect-zookeeper/client/Service"
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as ChildProcess from "node:child_process"
import * as Os from "node:os"
import { fileURLToPath } from "node:url"
import { CommandEnded, KeeperDied, NotStarted } from "../frame/errors.ts"
import { type Ends, isAlive, type Order, type Report, signalGroup } from "./messages.ts"

/** A client that holds something, and how long before the end of its session the hold ends. */
export interface Holder {
  readonly zk: Service
  readonly margin: Duration.Duration
}

/**
 * Runs the command, and fails with its end. Where the hold is lost or the effect is interrupted, the group gets SIGTERM at
 * once and SIGKILL within the margin of the session, and the effect ends when the group has ended.
 *
 * The keeper does this too, by the same deadline, so that it also happens where this process is stopped or killed.
 */
export const runHeld = (
  { margin, zk }: Holder,
  held: Held,
  command: ReadonlyArray<string>
): Effect.Effect<never, CommandEnded | NotStarted | KeeperDied> =>
  Effect.scoped(
    Effect.gen(function* () {
      const grace = graceOf(margin, zk.session.timeout)
      const ends = yield* makeEnds(zk.session)
      const keeper = yield* Effect.acquireRelease(Effect.sync(launch), (keeper) => endGroup(keeper, grace))
      yield* passSignals(keeper)
      const env = { ZK_FENCING_TOKEN: String(held.fencingToken), ZK_HELD_PATH: held.path }
      keeper.send({ _tag: "Start", command, env, ends: ends(), grace })
      const renew = Effect.sync(() => keeper.send({ _tag: "Hold", ends: ends() }))
      yield* Effect.forkScoped(Effect.repeat(renew, Schedule.spaced("100 millis")))
      return yield* toEnd(yield* Deferred.await(keeper.report))
    })
  )

// ---- internal

type End = Exclude<Report, { readonly _tag: "Started" }> | { readonly _tag: "Died" }

interface Keeper {
  readonly process: ChildProcess.ChildProcess
  readonly send: (order: Order) => void
  /** Sends a signal to the group, or keeps it until the group has begun. */
  readonly signal: (signal: NodeJS.Signals) => void
  readonly group: () => number | undefined
  readonly report: Deferred.Deferred<End>
}

/** Three fifths of the margin; the rest is for the delivery of SIGKILL. A client cuts the margin to half of what was granted. */
const graceOf = (margin: Duration.Duration, granted: number): number =>
  Math.floor(Math.min(Duration.toMillis(margin), granted / 2) * 0.6)

/** When this hold ends, unless the ensemble confirms the session again before. Another session proves nothing for it. */
const makeEnds = (session: Service["session"]): Effect.Effect<() => Ends> =>
  Effect.map(Clock.Clock, (clock) => {
    const { id } = session
    let last: Ends = { monotonic: 0, wall: 0 }
    return () => {
      if (session.id !== id) return last
      const left = Number((session.deadline - clock.monotonicTimeNanosUnsafe()) / 1_000_000n)
      last = {
        monotonic: Number(process.hrtime.bigint() / 1_000_000n) + left,
        wall: clock.currentTimeMillisUnsafe() + left
      }
      return last
    }
  })

const launch = (): Keeper => {
  const file = import.meta.url.endsWith(".ts") ? "./keeper.ts" : "./keeper.js"
  const keeper = ChildProcess.fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    // Ctrl-Z and Ctrl-C of the terminal are for `zk` alone.
    detached: true
  })
  const report = Deferred.makeUnsafe<End>()
  const kept: Array<NodeJS.Signals> = []
  let group: number | undefined
  const done = (end: End): void => void Deferred.doneUnsafe(report, Effect.succeed(end))
  const died = (): void => {
    if (group !== undefined && !Deferred.isDoneUnsafe(report)) signalGroup(group, "SIGKILL")
    done({ _tag: "Died" })
  }
  keeper.on("message", (message: Report) => {
    if (message._tag !== "Started") return done(message)
    group = message.group
    for (const signal of kept.splice(0)) signalGroup(group, signal)
  })
  keeper.once("error", died)
  keeper.once("exit", died)
  return {
    process: keeper,
    report,
    group: () => group,
    // The keeper may have ended meanwhile, which its report tells.
    send: (order) => void (keeper.connected && keeper.send(order, () => {})),
    signal: (signal) => (group === undefined ? void kept.push(signal) : signalGroup(group, signal))
  }
}

/** Ends the group if it has not ended, and then the keeper. */
const endGroup = Effect.fnUntraced(function* (keeper: Keeper, grace: number) {
  keeper.send({ _tag: "End" })
  const isEnded = (within: number) =>
    Effect.map(Effect.timeoutOption(Deferred.await(keeper.report), within), Option.isSome)
  if (!(yield* isEnded(grace + 100))) {
    const group = keeper.group()
    if (group !== undefined) signalGroup(group, "SIGKILL")
    yield* isEnded(1000)
  }
  const group = keeper.group()
  if (group !== undefined && isAlive(group)) signalGroup(group, "SIGKILL")
  keeper.process.kill("SIGKILL")
})

/** Signals for this process go to the command, and its end is the end of this process. */
const passSignals = (keeper: Keeper) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      // Those who listen until now would interrupt `zk` instead.
      const taken = interrupting.map((signal) => [signal, process.listeners(signal)] as const)
      for (const signal of interrupting) process.removeAllListeners(signal)
      const listeners = passed.map((signal) => [signal, () => keeper.signal(signal)] as const)
      for (const [signal, listener] of listeners) process.on(signal, listener)
      return { taken, listeners }
    }),
    ({ listeners, taken }) =>
      Effect.sync(() => {
        for (const [signal, listener] of listeners) process.off(signal, listener)
        for (const [signal, before] of taken) for (const listener of before) process.on(signal, listener)
      })
  )

const interrupting = ["SIGINT", "SIGTERM"] as const
const passed = [...interrupting, "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const

const toEnd = (end: End): Effect.Effect<never, CommandEnded | NotStarted | KeeperDied> => {
  switch (end._tag) {
    case "Ended":
      return Effect.fail(new CommandEnded({ exitCode: end.code ?? 128 + (signalNumber(end.signal) ?? 0) }))
    case "Failed":
      return Effect.fail(
        new NotStarted({ message: `the command could not be started: ${end.message}`, exitCode: end.code })
      )
    case "Died":
      return Effect.fail(
        new KeeperDied({ message: "the process that keeps the command has died; the command was killed" })
      )
  }
}

const signalNumber = (signal: NodeJS.Signals | null): number | undefined =>
  signal === null ? undefined : Os.constants.signals[signal]
