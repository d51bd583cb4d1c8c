/**
 * Runs an Effect in a world that a seed decides: the order of fibers, the places at which they are interrupted by others,
 * all chance and all time.
 *
 * ```ts
 * const result = Simulation.run(program, { seed: 17 })
 * ```
 *
 * Virtual time costs nothing: when nothing can run, it leaps to the next timer. The same seed gives the same course,
 * operation by operation, and `traceHash` says so. What can never go on is reported as a hang and not waited for. A run
 * is synchronous: nothing in it may wait for the host, for a socket, a Promise or a microtask.
 *
 * A world knows nothing of ZooKeeper. `SimulatedNetwork` puts connections with faults into it.
 *
 * @since 0.1.0
 */
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
 * A process of the world. Its fibers share a clock, and can be stopped all at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface Node {
  readonly name: string
  /** Runs an effect in this process; what it forks stays there. */
  readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Stops the process, as SIGSTOP does: time goes on, and nothing of it runs until `resume`. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  readonly isPaused: () => boolean
  /** Sets its wall clock forward, or back when negative. The monotonic clock stays. */
  readonly stepWallClock: (step: Duration.Input) => Effect.Effect<void>
}

/**
 * The world that an effect runs in.
 *
 * @category services
 * @since 0.1.0
 */
export class Simulation extends Context.Service<
  Simulation,
  {
    readonly seed: number
    /** Adds a process. The effect itself runs in one of its own, `main`. */
    readonly node: (name: string) => Effect.Effect<Node>
    /** Makes something a part of the trace and of its hash. */
    readonly note: (text: string) => void
    /** Adds a line to a recorded trace; no part of the hash, and not evaluated where nothing is recorded. */
    readonly comment: (text: () => string) => void
    /** Virtual milliseconds since the beginning. */
    readonly now: () => number
  }
>()("@effect-zookeeper/server/Simulation") {}

/**
 * @category options
 * @since 0.1.0
 */
export interface RunOptions {
  /** A safe integer. Everything follows from it. */
  readonly seed: number
  /** So many tasks may run, one million if left out. */
  readonly maxSteps?: number | undefined
  /** So much virtual time may pass, a day if left out. */
  readonly maxTime?: Duration.Input | undefined
  /** A task takes 0 to so much virtual time, by chance. 20 microseconds if left out. */
  readonly maxStepCost?: Duration.Input | undefined
  /**
   * How many operations a fiber does before it gives way to others, in the mean. If left out, the seed decides between
   * 3 and 512.
   */
  readonly operationsBetweenYields?: number | undefined
  /** What the wall clock shows at the beginning, in milliseconds since 1970. */
  readonly startsAt?: number | undefined
  /** Whether to keep the lines of the trace: notes, comments and logs. It changes nothing of the course. */
  readonly record?: boolean | undefined
}

/**
 * A fiber that has not ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Waiting {
  /** Fibers are counted in the order in which they first ran. */
  readonly fiber: number
  readonly node: string
  /** Its log annotations, its span and the `Effect.fn` that it stands in, as far as there are any. */
  readonly about: string
}

/**
 * What every run tells.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly seed: number
  /** The same for every run of the same program with the same seed. */
  readonly traceHash: string
  /** Virtual milliseconds. */
  readonly time: number
  /** How many tasks ran. */
  readonly steps: number
  /** The fibers that are left; at the end of a good program there are none. */
  readonly fibers: ReadonlyArray<Waiting>
  /** How many timers are left. */
  readonly timers: number
  readonly trace: ReadonlyArray<{ readonly time: number; readonly text: string }>
}

/**
 * - `Done`: the effect has ended, with this exit.
 * - `Hang`: it has not, nothing can run, and no timer is left. Processes that are paused are named.
 * - `OutOfSteps`, `OutOfTime`: it has not within the limits of the run.
 * - `Crashed`: a task threw, which would have ended the process.
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
 * A seed under which a program does not do what it should.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulationFailed extends Schema.TaggedError<SimulationFailed>()("SimulationFailed", {
  seed: Schema.Number,
  /** What was wrong, in words. */
  reason: Schema.String,
  traceHash: Schema.String,
  /** What to do in order to see the same run again. */
  replay: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {
  override get message(): string {
    return `seed ${this.seed} (trace ${this.traceHash}): ${this.reason}\nreplay it with ${this.replay}`
  }
}

// -----------------------------------------------------------------------------
// running
// -----------------------------------------------------------------------------

/**
 * Runs an effect to its end, synchronously, and then what can still run without time going on.
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
 * @category options
 * @since 0.1.0
 */
export interface CheckOptions extends Omit<RunOptions, "seed" | "record"> {
  /** How many seeds. */
  readonly seeds: number
  /** The first seed, 1 if left out. The others follow it. */
  readonly from?: number | undefined
  /** How to see a failing run again; the text for people. */
  readonly replay?: ((seed: number) => string) | undefined
  /** Whether fibers and timers may be left behind. False if left out. */
  readonly allowLeftovers?: boolean | undefined
  /** Sees the result of every run. */
  readonly onResult?: ((result: Result<unknown, unknown>) => void) | undefined
}

/**
 * What a check came to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Checked {
  readonly seeds: number
  readonly steps: number
  /** Virtual milliseconds of all runs. */
  readonly virtualTime: number
  /** Milliseconds that it took. */
  readonly elapsed: number
}

/**
 * Runs an effect under many seeds, and fails with the first one under which it fails, hangs, crashes, oversteps its
 * limits or leaves something behind. The host gets its turn between two runs.
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
 * What is wrong with a run, undefined for one that is as it should be.
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
      return { reason: `it hangs: nothing can run and no timer is left${paused}. What waits:${left()}` }
    }
    case "OutOfSteps":
      return { reason: `it has not ended after ${result.steps} steps. What is left:${left()}` }
    case "OutOfTime":
      return { reason: `it has not ended after ${result.time} ms of virtual time. What is left:${left()}` }
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
  // Logs are handed over in every run, for a run that is recorded must take the same course as one that is not.
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
