/** `zk once`: a command that runs on one of the machines that begin it, such as a job of cron. */
import { NoNode } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Output from "../../Output.ts"
import { parseDuration } from "../frame/durations.ts"
import { Conflict, UsageError } from "../frame/errors.ts"
import * as GlobalFlags from "../frame/globalFlags.ts"
import { Printer, printOne } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { firstOf, holderOf, identifier, type WaitInput, waitOf } from "./guards.ts"
import { runHeld } from "./hold.ts"
import { whileWaiting } from "./waiting.ts"

export interface Input extends WaitInput {
  readonly period: string | undefined
  readonly stamp: string | undefined
  readonly retry: boolean
}

/**
 * Runs the command unless the job's znode has a run that counts. That a run begins is written before the command does, and
 * only while the lock is held, so that a machine that dies in between has run it as far as others can tell.
 */
export const once = Effect.fnUntraced(function* (input: Input) {
  const { path } = input
  if (input.period !== undefined && input.stamp !== undefined) {
    return yield* new UsageError({ message: "--period and --stamp exclude each other: choose one" })
  }
  const period = input.period === undefined ? undefined : yield* parseDuration("--period", input.period)
  if (input.wait !== undefined && !input.retry) {
    return yield* new UsageError({ message: "--wait is for --retry: without it a run elsewhere is not waited for" })
  }
  const timeout = input.retry ? yield* waitOf(input) : { timeout: 0 }
  const holder = yield* holderOf("once", input)
  const { zk } = holder
  yield* zk.createWithParents(path).pipe(Effect.catchTag("NodeExists", () => Effect.void))
  const lock = yield* Effect.provideService(
    Lock.make(ZnodePath.join(path, "lock"), { identifier }),
    ZooKeeper.ZooKeeper,
    zk
  )
  const guarded = Effect.fnUntraced(function* (held: Held) {
    const began = yield* firedAt(zk, held)
    const { runs, version } = yield* readJob(zk, path)
    const counting = runs.find((run) => counts(run, input, period, began))
    if (counting !== undefined) return yield* skip({ path, ran: false, reason: "done", last: counting })
    const run: Run = { ...(input.stamp === undefined ? {} : { stamp: input.stamp }), by: identifier, began }
    const write = (run: Run, at: number) => writeJob(held, path, [run, ...runs], at)
    const begun = yield* write(run, version)
    return yield* runHeld(holder, held, input.command).pipe(
      Effect.tapError((error) =>
        error._tag === "CommandEnded" || error._tag === "NotStarted"
          ? Effect.flatMap(Clock.currentTimeMillis, (ended) =>
              Effect.ignore(write({ ...run, ended, exitCode: error.exitCode }, begun))
            )
          : Effect.void
      )
    )
  })
  return yield* whileWaiting(path, firstOf(lock), (acquired) =>
    lock.withLock((held) => Effect.andThen(acquired, guarded(held)), timeout)
  ).pipe(
    Effect.catchTag(
      "LockTimeout",
      Effect.fnUntraced(function* (error) {
        if (input.retry) return yield* error
        const [last] = (yield* readJob(zk, path)).runs
        return yield* skip({ path, ran: false, reason: "running", ...(last === undefined ? {} : { last }) })
      })
    )
  )
})

// ---- internal

type Run = typeof Output.Run.Type

/** How many runs the znode of a job tells of. */
const remembered = 20

const Job = Schema.fromJsonString(Schema.Struct({ runs: Schema.Array(Output.Run) }))

/** When cron fired, by the clock of the servers, which all machines share: the position in the queue was taken then. */
const firedAt = (zk: Service, held: Held) =>
  Effect.flatMap(zk.stat(held.path), (stat) =>
    Option.isSome(stat)
      ? Effect.succeed(stat.value.ctime)
      : Effect.fail(new NoNode({ path: held.path, operation: "exists" }))
  )

const counts = (run: Run, { retry, stamp }: Input, period: Duration.Duration | undefined, fired: number): boolean => {
  if (retry && run.exitCode !== 0) return false
  if (stamp !== undefined) return run.stamp === stamp
  // Machines fire at slightly different times, and each time a little earlier or later.
  return period === undefined || fired - run.began < Duration.toMillis(period) / 2
}

const readJob = Effect.fnUntraced(function* (zk: Service, path: string) {
  const { data, stat } = yield* zk.get(path)
  if (data.length === 0) return { runs: [], version: stat.version }
  const job = Schema.decodeUnknownOption(Job)(new TextDecoder().decode(data))
  return Option.isSome(job)
    ? { runs: job.value.runs, version: stat.version }
    : yield* new Conflict({ message: `${shown(path)} has data that is not of a job; name another znode` })
})

/** Writes the runs while the lock is held, and gives the version of the znode. */
const writeJob = (held: Held, path: string, runs: ReadonlyArray<Run>, version: number) =>
  Effect.map(
    held.transaction([Op.setData(path, Schema.encodeSync(Job)({ runs: runs.slice(0, remembered) }), { version })]),
    ([stat]) => stat.version
  )

/** Nothing runs here, and nothing is wrong. Cron sends a mail for each line, so that there is none unless one is asked for. */
const skip = (skipped: typeof Output.Skipped.Type) =>
  Effect.gen(function* () {
    const { mode, note } = yield* Printer
    if (mode !== "text") return yield* printOne(Output.Skipped, skipped, () => "")
    if (!(yield* GlobalFlags.Verbose)) return
    const { last, path, reason } = skipped
    const by =
      last === undefined ? "" : `; the last run began at ${Output.formatTime(last.began)}, by ${shown(last.by)}`
    yield* note(
      `${shown(path)}: nothing is run here, because it ${reason === "done" ? "was run" : "is being run"}${by}`
    )
  })
