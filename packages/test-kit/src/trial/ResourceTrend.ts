/**
 * Whether a process that has long been at work still needs what it needed before: samples of what it holds, and the
 * straight line through them.
 */
import * as SessionMetrics from "@effect-zookeeper/session/SessionMetrics"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as V8 from "node:v8"
import { collectGarbage } from "../MemoryUse.ts"

/** The resources of the process at one moment, after all garbage was collected. */
export interface Sample {
  /** Seconds since the process began. */
  readonly at: number
  /** Bytes of the objects on the heap. */
  readonly heap: number
  /** Bytes of compiled code and what belongs to it; V8 compiles more, and better, for as long as a process runs. */
  readonly code: number
  /** Bytes of buffers outside of the heap. */
  readonly external: number
  readonly rss: number
  /** Sockets, timers and whatever else keeps a process alive. */
  readonly handles: number
  /** Fibers that run; counted under `Metric.enableRuntimeMetrics`. */
  readonly fibers: number
  /** Watches that the clients wait for, by the client's metric. */
  readonly watches: number
  /** Watches that the servers have. */
  readonly serverWatches: number
}

/** The measured quantities, by name. */
type Quantity = Exclude<keyof Sample, "at">

/** Takes a sample. */
export const sample = Effect.fnUntraced(function* <E, R>(
  serverWatches: Effect.Effect<number, E, R>
): Effect.fn.Return<Sample, E, R> {
  const watched = yield* serverWatches
  // All that can go, as before a snapshot: else what is compiled, and weakly held, comes and goes as it likes. Twice:
  // what finalizers let go of goes in the second.
  for (let i = 0; i < 2; i++) {
    collectGarbage({ type: "major", execution: "sync", flavor: "last-resort" })
    yield* Effect.yieldNow
  }
  const { external, rss } = process.memoryUsage()
  const spaces = V8.getHeapSpaceStatistics()
  const used = (isCode: boolean) =>
    spaces
      .filter(({ space_name: name }) => /code|trusted/.test(name) === isCode)
      .reduce((sum, { space_used_size: size }) => sum + size, 0)
  const fibers = (yield* Metric.snapshot).find(({ id }) => id === "child_fibers_active")
  return {
    at: process.uptime(),
    heap: used(false),
    code: used(true),
    external,
    rss,
    handles: process.getActiveResourcesInfo().length,
    fibers: fibers?.type === "Gauge" ? Number(fibers.state.value) : 0,
    watches: Number((yield* Metric.value(SessionMetrics.watches)).value),
    serverWatches: watched
  }
})

/** The straight line through some samples. */
interface Trend {
  readonly quantity: Quantity
  readonly mean: number
  /** By how much the line rises from the first sample to the last. */
  readonly rise: number
  /** The most that it may. */
  readonly bound: number
  readonly isFlat: boolean
}

/**
 * By how much each quantity may rise over the whole of the samples that count. `rss` has no bound, for what the system
 * has once given comes back late or never, and `code` has none.
 */
const bounds: { readonly [Q in Exclude<Quantity, "rss" | "code">]: number } = {
  // Ten bytes for each of the requests of five minutes would be more.
  heap: 1_000_000,
  external: 500_000,
  // Chance moves these: the requests that are about to be sent, and those that wait. One for each fault of thirty
  // minutes would be 180.
  handles: 8,
  fibers: 12,
  watches: 8,
  serverWatches: 10
}

const quantities = Object.keys(bounds) as ReadonlyArray<keyof typeof bounds>

/** The trends of the samples but for the first fifth, in which caches fill and code is compiled. */
export const trends = (samples: ReadonlyArray<Sample>): ReadonlyArray<Trend> => {
  const settled = samples.slice(Math.ceil(samples.length / 5))
  return quantities.map((quantity) => {
    const { mean, slope } = line(settled.map((each) => ({ x: each.at, y: each[quantity] })))
    const span = settled.length === 0 ? 0 : settled.at(-1)!.at - settled[0]!.at
    const rise = slope * span
    return { quantity, mean, rise, bound: bounds[quantity], isFlat: rise <= bounds[quantity] }
  })
}

/** The line of least squares. */
export const line = (points: ReadonlyArray<{ readonly x: number; readonly y: number }>) => {
  const average = (of: (point: { readonly x: number; readonly y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / Math.max(1, points.length)
  const x = average((point) => point.x)
  const mean = average((point) => point.y)
  const spread = average((point) => (point.x - x) ** 2)
  return { mean, slope: spread === 0 ? 0 : average((point) => (point.x - x) * (point.y - mean)) / spread }
}

/** Trends as lines of a table, for people. */
export const table = (trends: ReadonlyArray<Trend>): string =>
  trends
    .map(({ bound, isFlat, mean, quantity, rise }) => {
      const isBytes = quantity === "heap" || quantity === "external"
      const show = (value: number) => (isBytes ? `${(value / 1024).toFixed(0)} KiB` : value.toFixed(1))
      const verdict = isFlat ? "flat" : "RISES"
      return `${quantity.padEnd(14)} mean ${show(mean).padStart(10)}, rise ${show(rise).padStart(10)} (at most ${show(bound)}): ${verdict}`
    })
    .join("\n")
