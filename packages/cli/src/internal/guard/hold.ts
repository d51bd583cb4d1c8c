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
import { fileURLToPath } from "node:url"
import { CommandEnded, HoldUncertain, KeeperDied, NotStarted } from "../frame/errors.ts"
import { type Ends, isAlive, type Order, type Report, signalGroup } from "./messages.ts"
import { processesOf } from "./processes.ts"
import { exitCodeOf, passSignals } from "./signals.ts"

/** A client that holds something, and how long before the end of its session the hold ends. */
export interface Holder {
  readonly zk: { readonly session: Pick<Service["session"], "id" | "deadline" | "timeout"> }
  readonly margin: Duration.Duration
}

/** The errors with which a guarded command ends. */
export type HoldError = CommandEnded | NotStarted | KeeperDied | HoldUncertain

/**
 * Runs the command, and fails with its end. Where the hold is lost or the effect is interrupted, the group gets SIGTERM at
 * once and SIGKILL within the margin of the session, and the effect ends when the group has ended.
 *
 * The keeper does this too, by the same deadline, so that it also happens where this process is stopped or killed.
 */
export const runHeld = (
  { margin, zk }: Holder,
  held: Pick<Held, "fencingToken" | "path">,
  command: ReadonlyArray<string>
): Effect.Effect<never, HoldError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const grace = graceOf(margin, zk.session.timeout)
      const ends = yield* makeEnds(zk.session)
      const keeper = yield* Effect.acquireRelease(Effect.sync(launch), (keeper) => endGroup(keeper, grace))
      yield* passSignals(keeper.signal)
      const env = { ZK_FENCING_TOKEN: String(held.fencingToken), ZK_HELD_PATH: held.path }
      // The deadline in the message is fresh when it is read.
      yield* Effect.raceFirst(Deferred.await(keeper.ready), Deferred.await(keeper.report))
      keeper.send({ _tag: "Start", command, env, ends: ends(), grace })
      const renew = Effect.sync(() => keeper.send({ _tag: "Hold", ends: ends() }))
      yield* Effect.forkScoped(Effect.repeat(renew, Schedule.spaced("100 millis")))
      return yield* toEnd(yield* Deferred.await(keeper.report), held.path)
    })
  )

// ---- internal

type End = Exclude<Report, { readonly _tag: "Ready" | "Started" }> | { readonly _tag: "Died" }

interface Keeper {
  readonly process: ChildProcess.ChildProcess
  readonly send: (order: Order) => void
  /** Whether it was told to start the command. */
  readonly hasStarted: () => boolean
  /** Sends a signal to the group, or keeps it until the group has begun. */
  readonly signal: (signal: NodeJS.Signals) => void
  readonly group: () => number | undefined
  /** The keeper takes orders. */
  readonly ready: Deferred.Deferred<void>
  readonly report: Deferred.Deferred<End>
}

/** Three fifths of the margin; the rest is for the delivery of SIGKILL. A client cuts the margin to half of what was granted. */
const graceOf = (margin: Duration.Duration, granted: number): number =>
  Math.floor(Math.min(Duration.toMillis(margin), granted / 2) * 0.6)

/** When this hold ends, unless the ensemble confirms the session again before. Another session proves nothing for it. */
const makeEnds = (session: Holder["zk"]["session"]): Effect.Effect<() => Ends> =>
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
  const ready = Deferred.makeUnsafe<void>()
  const report = Deferred.makeUnsafe<End>()
  const kept: Array<NodeJS.Signals> = []
  let group: number | undefined
  let hasStarted = false
  const done = (end: End): void => void Deferred.doneUnsafe(report, Effect.succeed(end))
  const died = (): void => {
    if (group !== undefined && !Deferred.isDoneUnsafe(report)) processesOf(group).signal("SIGKILL")
    done({ _tag: "Died" })
  }
  keeper.on("message", (message: Report) => {
    if (message._tag === "Ready") return void Deferred.doneUnsafe(ready, Effect.void)
    if (message._tag !== "Started") return done(message)
    group = message.group
    for (const signal of kept.splice(0)) signalGroup(group, signal)
  })
  keeper.once("error", died)
  keeper.once("exit", died)
  return {
    process: keeper,
    ready,
    report,
    group: () => group,
    hasStarted: () => hasStarted,
    send: (order) => {
      hasStarted ||= order._tag === "Start"
      // The keeper may have ended meanwhile, which its report tells.
      if (keeper.connected) keeper.send(order, () => {})
    },
    signal: (signal) => (group === undefined ? void kept.push(signal) : signalGroup(group, signal))
  }
}

/** Ends the group if it has not ended, and then the keeper. */
const endGroup = Effect.fnUntraced(function* (keeper: Keeper, grace: number) {
  if (!keeper.hasStarted()) return void keeper.process.kill("SIGKILL")
  keeper.send({ _tag: "End" })
  const isEnded = (within: number) =>
    Effect.map(Effect.timeoutOption(Deferred.await(keeper.report), within), Option.isSome)
  if (!(yield* isEnded(grace + 100))) {
    const group = keeper.group()
    if (group !== undefined) processesOf(group).signal("SIGKILL")
    yield* isEnded(1000)
  }
  const group = keeper.group()
  if (group !== undefined && isAlive(group)) signalGroup(group, "SIGKILL")
  keeper.process.kill("SIGKILL")
})

const toEnd = (end: End, path: string): Effect.Effect<never, HoldError> => {
  switch (end._tag) {
    case "Ended":
      if (end.isOverdue) return Effect.fail(new HoldUncertain({ path }))
      return Effect.fail(new CommandEnded({ exitCode: exitCodeOf(end) }))
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
