/**
 * Runs an Effect in a simulation that is decided by a seed: the order of fibers, where they give way to each other, all
 * randomness and all time.
 *
 * Virtual time costs nothing: when no task can run, it jumps to the next timer. The same seed gives the same run, operation
 * by operation, which `traceHash` shows. A program that can never continue is reported as a hang at once. A run is
 * synchronous: it must not wait for the host, such as a socket, a Promise or a microtask.
 *
 * The module knows nothing of ZooKeeper. `SimulatedNetwork` adds connections with faults.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Scheduler from "effect/Scheduler"
import { EventLoop, type LoopNode } from "./internal/simulation/EventLoop.ts"
import { NodeScheduler } from "./internal/simulation/NodeScheduler.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A process of the simulation. Its fibers share a clock, and can be paused together. Run each client in its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Node {
  /** The name in traces and reports. */
  readonly name: string
  /** Runs an effect in this process; the fibers that it forks stay there. */
  readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Pauses the process, as SIGSTOP does: time goes on, and none of its fibers runs until `resume`. */
  readonly pause: Effect.Effect<void>
  /** Continues after `pause`. */
  readonly resume: Effect.Effect<void>
  /** Whether it is paused. */
  readonly isPaused: () => boolean
  /** Sets its wall clock forward, or back if negative. The monotonic clock is not affected. */
  readonly stepWallClock: (step: Duration.Input) => Effect.Effect<void>
}

/**
 * The simulation that an effect runs in.
 *
 * @category services
 * @since 0.1.0
 */
export class Simulation extends Context.Service<
  Simulation,
  {
    /** The seed of this run. */
    readonly seed: number
    /** Adds a process. The effect itself runs in the process `main`. */
    readonly node: (name: string) => Effect.Effect<Node>
    /** Adds a line to the trace and to its hash. */
    readonly note: (text: string) => void
    /** Adds a line to a recorded trace, but not to its hash. It is not evaluated unless the run is recorded. */
    readonly comment: (text: () => string) => void
    /** Virtual milliseconds since the start. */
    readonly now: () => number
  }
>()("@effect-zookeeper/server/Simulation") {}

/**
 * Options of `run`.
 *
 * @category options
 * @since 0.1.0
 */
export interface RunOptions {
  /** A safe integer, which decides the run. */
  readonly seed: number
  /** The most tasks that may run. Default one million. */
  readonly maxSteps?: number | undefined
  /** The longest virtual time. Default one day. */
  readonly maxTime?: Duration.Input | undefined
  /** The longest virtual time of a task; each takes a random time from 0. Default 20 microseconds. */
  readonly maxStepCost?: Duration.Input | undefined
  /**
   * The mean number of operations of a fiber before it gives way to others. By default the seed chooses 3, 16, 64 or 512.
   */
  readonly operationsBetweenYields?: number | undefined
  /** The wall clock at the start, in milliseconds since 1970. Default 1,700,000,000,000, in November 2023. */
  readonly startsAt?: number | undefined
  /** Whether to keep the lines of the trace: notes, comments and logs. It does not alter the run. Default false. */
  readonly record?: boolean | undefined
}

/**
 * A fiber that has not ended, in a report.
 *
 * @category models
 * @since 0.1.0
 */
export interface Waiting {
  /** Its number, in the order in which fibers first ran. */
  readonly fiber: number
  /** The name of its process. */
  readonly node: string
  /** Its log annotations, its span and its `Effect.fn`, if there are any. */
  readonly about: string
}

/**
 * The report of a run, whatever its result.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly seed: number
  /** A hash of the whole run: the same program with the same seed has the same hash. */
  readonly traceHash: string
  /** Virtual milliseconds at the end. */
  readonly time: number
  /** How many tasks ran. */
  readonly steps: number
  /** The fibers that are left. A program without leaks leaves none. */
  readonly fibers: ReadonlyArray<Waiting>
  /** How many timers are left. */
  readonly timers: number
  /** The lines of the trace, with virtual milliseconds; empty unless the run is recorded. */
  readonly trace: ReadonlyArray<{ readonly time: number; readonly text: string }>
}

/**
 * The result of a run.
 *
 * - `Done`: the effect has ended, with this exit.
 * - `Hang`: the effect has not ended, no task can run, and no timer is left. `paused` names the processes that are paused.
 * - `OutOfSteps`, `OutOfTime`: the effect has not ended within the limits of the run.
 * - `Crashed`: a task threw, which would have ended a real process.
 *
 * @category models
 * @since 0.1.0
 */
export type Result<A, E> = Report &
  (
    | { readonly _tag: "Done"; readonly exit: Exit.Exit<A, E> }
    | { readonly _tag: "Hang"; readonly paused: ReadonlyArray<string> }
    | { readonly _tag: "OutOfSteps" }
    | { readonly _tag: "OutOfTime" }
    | { readonly _tag: "Crashed"; readonly error: unknown }
  )

/**
 * A program fails, hangs, crashes or leaks under a seed. The message has the reason and how to replay the run.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulationFailed extends ErrorClass.make(
  Schema.TaggedError<SimulationFailed>()("SimulationFailed", {
    seed: Schema.Number,
    /** The problem, in words. */
    reason: Schema.String,
    traceHash: Schema.String,
    /** How to run the same seed again. */
    replay: Schema.String,
    cause: Schema.optional(Schema.Defect())
  }),
  { multiline: true }
) {
  override get message(): string {
    return `seed ${this.seed} (trace ${this.traceHash}): ${this.reason}\nreplay it with ${this.replay}`
  }
}

// -----------------------------------------------------------------------------
// running
// -----------------------------------------------------------------------------

/**
 * Runs an effect to its end, synchronously, and then the tasks that can still run without more time. Use it to replay a
 * seed with its trace; `check` runs many seeds.
 *
 * @example
 * ```ts
 * import * as Simulation from "@effect-zookeeper/server/Simulation"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.andThen(Effect.sleep("1 hour"), Effect.log("an hour later"))
 *
 * const result = Simulation.run(program, { seed: 17, record: true })
 * console.log(result._tag, result.traceHash)
 * for (const { text, time } of result.trace) console.log(time, text)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E>(effect: Effect.Effect<A, E, Simulation>, options: RunOptions): Result<A, E> => {
  const maxSteps = options.maxSteps ?? 1_000_000
  const maxTime = nanos(options.maxTime ?? "1 day")
  const loop = new EventLoop({
    seed: options.seed,
    startsAt: options.startsAt ?? 1_700_000_000_000,
    maxStepCost: nanos(options.maxStepCost ?? "20 micros"),
    isRecording: options.record === true,
    operationsBetweenYields: options.operationsBetweenYields
  })
  const report = (): Report => ({
    seed: options.seed,
    traceHash: loop.hash.digest,
    time: loop.now / 1e6,
    steps: loop.steps,
    fibers: loop.alive.map(describe),
    timers: loop.timers.size,
    trace: loop.entries
  })
  const ended: { exit: Exit.Exit<A, E> | undefined } = { exit: undefined }
  try {
    Effect.runForkWith(contextOf(loop, options.seed))(effect).addObserver((exit) => {
      ended.exit = exit
    })
    while (ended.exit === undefined) {
      if (loop.steps >= maxSteps) return { ...report(), _tag: "OutOfSteps" }
      if (loop.now > maxTime) return { ...report(), _tag: "OutOfTime" }
      loop.fireDue()
      if (loop.hasReady) {
        loop.step()
        continue
      }
      const next = loop.timers.peek()
      if (next === undefined) return { ...report(), _tag: "Hang", paused: loop.pausedNodes }
      loop.now = next.at
    }
    while (loop.hasReady && loop.steps < maxSteps) loop.step()
  } catch (error) {
    return { ...report(), _tag: "Crashed", error }
  }
  return { ...report(), _tag: "Done", exit: ended.exit }
}

/**
 * Options of `check`.
 *
 * @category options
 * @since 0.1.0
 */
export interface CheckOptions extends Omit<RunOptions, "seed" | "record"> {
  /** How many seeds. */
  readonly seeds: number
  /** The first seed; the others follow it. Default 1. */
  readonly from?: number | undefined
  /** The text for people that says how to replay a failing seed. Default: the call of `run`. */
  readonly replay?: ((seed: number) => string) | undefined
  /** Whether fibers and timers may be left at the end. Default false. */
  readonly allowLeftovers?: boolean | undefined
  /** Called with the result of every run. */
  readonly onResult?: ((result: Result<unknown, unknown>) => void) | undefined
}

/**
 * The statistics of a check that found no failure.
 *
 * @category models
 * @since 0.1.0
 */
export interface Checked {
  /** How many seeds were run. */
  readonly seeds: number
  /** The tasks of all runs. */
  readonly steps: number
  /** The virtual milliseconds of all runs. */
  readonly virtualTime: number
  /** The milliseconds that the check took. */
  readonly elapsed: number
}

/**
 * Runs an effect under many seeds. It fails with `SimulationFailed` at the first seed under which the effect fails, hangs,
 * crashes, exceeds its limits or leaves fibers or timers behind. Between two runs the host gets a turn.
 *
 * @example
 * ```ts
 * import * as Simulation from "@effect-zookeeper/server/Simulation"
 * import * as Effect from "effect/Effect"
 * import * as Ref from "effect/Ref"
 *
 * const program = Effect.gen(function* () {
 *   const counter = yield* Ref.make(0)
 *   yield* Effect.all([Ref.update(counter, (n) => n + 1), Ref.update(counter, (n) => n + 1)], { concurrency: 2 })
 *   if ((yield* Ref.get(counter)) !== 2) return yield* Effect.fail("an update was lost")
 * })
 *
 * const checked = Simulation.check(program, { seeds: 1000 })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function* <A, E>(
  effect: Effect.Effect<A, E, Simulation>,
  options: CheckOptions
): Effect.fn.Return<Checked, SimulationFailed> {
  const clock = yield* Clock.Clock
  const startedAt = clock.monotonicTimeNanosUnsafe()
  const from = options.from ?? 1
  const replay = options.replay ?? ((seed: number) => `Simulation.run(effect, { seed: ${seed}, record: true })`)
  let steps = 0
  let virtualTime = 0
  for (let seed = from; seed < from + options.seeds; seed++) {
    const result = run(effect, { ...options, seed })
    options.onResult?.(result)
    steps += result.steps
    virtualTime += result.time
    const problem = problemOf(result, options.allowLeftovers === true)
    if (problem !== undefined) {
      return yield* new SimulationFailed({
        seed,
        traceHash: result.traceHash,
        replay: replay(seed),
        ...problem
      })
    }
    yield* Effect.yieldNow
  }
  const elapsed = Number(clock.monotonicTimeNanosUnsafe() - startedAt) / 1e6
  return { seeds: options.seeds, steps, virtualTime, elapsed }
})

/**
 * The problem of a run; undefined for a run without one.
 *
 * @category checking
 * @since 0.1.0
 */
export const problemOf = (
  result: Result<unknown, unknown>,
  allowLeftovers = false
): { readonly reason: string; readonly cause?: unknown } | undefined => {
  const left = (): string =>
    result.fibers.map(({ about, fiber, node }) => `\n  fiber ${fiber} of ${node}${about}`).join("")
  switch (result._tag) {
    case "Hang": {
      const paused = result.paused.length === 0 ? "" : `; paused: ${result.paused.join(", ")}`
      return { reason: `it hangs: nothing can run and no timer is left${paused}. Waiting fibers:${left()}` }
    }
    case "OutOfSteps":
      return { reason: `it has not ended after ${result.steps} steps. Waiting fibers:${left()}` }
    case "OutOfTime":
      return { reason: `it has not ended after ${result.time} ms of virtual time. Waiting fibers:${left()}` }
    case "Crashed":
      return { reason: `a task threw: ${String(result.error)}`, cause: result.error }
    case "Done": {
      if (Exit.isFailure(result.exit)) {
        return { reason: Cause.pretty(result.exit.cause), cause: Cause.squash(result.exit.cause) }
      }
      if (allowLeftovers || (result.timers === 0 && result.fibers.length === 0)) return undefined
      return { reason: `it left ${result.timers} timers and ${result.fibers.length} fibers behind:${left()}` }
    }
  }
}

// ---- internal

const nanos = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input)) * 1e6

const contextOf = (loop: EventLoop, seed: number): Context.Context<Simulation> => {
  const service = Simulation.of({
    seed,
    node: (name) => Effect.sync(() => nodeOf(loop.addNode(name, loop.main.clock.currentTimeMillisUnsafe()))),
    note: (text) => loop.note(text),
    comment: (text) => loop.comment(text),
    now: () => loop.now / 1e6
  })
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) =>
    loop.comment(() => `[${nodeNameOf(fiber)}] ${logLevel}: ${textOf(message)}`)
  )
  // Logs are handed over in every run, since recording must not alter a run.
  return Context.make(Simulation, service).pipe(
    Context.add(Scheduler.Scheduler, loop.main.scheduler),
    Context.add(Clock.Clock, loop.main.clock),
    Context.add(Random.Random, loop.random),
    Context.add(Logger.CurrentLoggers, new Set([logger])),
    Context.add(References.MinimumLogLevel, "All"),
    Context.add(Metric.MetricRegistry, new Map())
  )
}

const nodeOf = (node: LoopNode): Node => ({
  name: node.name,
  run: (effect) =>
    effect.pipe(
      Effect.provideService(Scheduler.Scheduler, node.scheduler),
      Effect.provideService(Clock.Clock, node.clock)
    ),
  pause: Effect.sync(() => {
    node.loop.note(`pause ${node.name}`)
    node.loop.pause(node)
  }),
  resume: Effect.sync(() => {
    node.loop.note(`resume ${node.name}`)
    node.loop.resume(node)
  }),
  isPaused: () => node.isPaused,
  stepWallClock: (step) =>
    Effect.sync(() => {
      const millis = Duration.toMillis(Duration.fromInputUnsafe(step))
      node.loop.note(`wall clock of ${node.name} ${millis}`)
      node.clock.step(millis)
    })
})

const textOf = (message: unknown): string => (Array.isArray(message) ? message : [message]).map(String).join(" ")

const nodeNameOf = (fiber: Fiber.Fiber<unknown, unknown>): string => {
  const { scheduler } = fiber.cache
  return scheduler instanceof NodeScheduler ? scheduler.process.name : "?"
}

const describe = ([order, fiber]: readonly [number, Fiber.Fiber<unknown, unknown>]): Waiting => {
  const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
  const about = annotations.map(([key, value]) => `${key}=${String(value)}`)
  const { span, stackFrame } = fiber.cache
  if (span !== undefined && "name" in span) about.push(`span ${span.name}`)
  if (stackFrame !== undefined) about.push(`in ${stackFrame.name}`)
  return { fiber: order, node: nodeNameOf(fiber), about: about.length === 0 ? "" : ` (${about.join(", ")})` }
}
