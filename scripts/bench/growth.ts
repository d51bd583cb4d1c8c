/**
 * Whether the cost of an operation stays constant with many operations, watches or sessions in one process; and
 * what tracing costs. Against the stub, our Effect API alone, with the floor beside it where the kernel has a share.
 */
import type { Figure } from "./figures.ts"
import { contestantCommand, type Runner, startRunner } from "./processes.ts"
import { beside, digits, markdown, median } from "./tables.ts"
import { kilobyte, watched } from "./workloads.ts"

/** One size of one thing that grows. */
interface Point {
  readonly what: string
  readonly size: number
  /** Microseconds of processor time for one operation: median of the rounds. */
  readonly cpu: number
  /** The same beside that of the smallest size: median of what each round had. */
  readonly relative?: number
  /** The same of the floor, where it was measured. */
  readonly floor?: number
  /** Bytes of memory for each that there is. */
  readonly memory?: number
}

export interface Options {
  /** Of the stub. */
  readonly address: string
  readonly rounds: number
  readonly quick: boolean
}

export const growthRuns = async (options: Options) => {
  const operations = await growingOperations(options)
  const watches = await growingWatches(options)
  const sessions = await growingSessions(options)
  const tracing = await tracingRuns(options)
  const rows = [...operations, ...watches, ...sessions, ...tracing]
  return {
    rows,
    figures: [
      flat("operations", operations),
      flat(
        "watches",
        watches.filter(({ what }) => what === getsBeside)
      ),
      flat("sessions", sessions),
      light(
        "a watch of 100,000",
        watches.findLast(({ memory }) => memory !== undefined),
        300
      ),
      light(
        "a session of 1,000",
        sessions.findLast(({ memory }) => memory !== undefined),
        40 * 1024
      )
    ],
    table: markdown(
      ["what", "how many", "client CPU, µs an operation", "floor", "bytes each"],
      rows.map(({ cpu, floor, memory, size, what }) => [
        what,
        size.toLocaleString("en"),
        digits(cpu),
        floor === undefined ? "" : digits(floor),
        memory === undefined ? "" : digits(memory)
      ])
    )
  }
}

/** Flat: no size costs a fifth more, or a fifth less, than the smallest does. */
const flat = (of: string, points: ReadonlyArray<Point>): Figure => {
  const first = points[0]
  const costs = points.map(({ cpu, relative }) => relative ?? cpu / (first?.cpu ?? Number.NaN))
  const sizes = points.map(({ size }) => size.toLocaleString("en")).join(", ")
  return {
    title: `growth, ${sizes} ${of}: client CPU an operation`,
    bound: "within 20%",
    measured: costs.map((cost) => cost.toFixed(2)).join(", "),
    met: costs.every((cost) => cost >= 0.8 && cost <= 1.2) ? "yes" : "no"
  }
}

/** The memory of one of many. */
const light = (of: string, point: Point | undefined, bound: number): Figure => {
  const bytes = point?.memory ?? Number.NaN
  return {
    title: `memory of ${of}, on the heap`,
    bound: `at most ${digits(bound)} bytes`,
    measured: `${digits(bytes)} bytes`,
    met: bytes <= bound ? "yes" : "no"
  }
}

const get = async (runner: Runner, count: number, bursts = 1): Promise<number> => {
  const step = { op: "get", path: kilobyte, count, inFlight: 64 } as const
  const sample = await runner.ask({ job: "step", step, stride: 0, bursts })
  return sample.cpuMicros / sample.operations
}

const rounds = async (count: number, measure: () => Promise<number>): Promise<number> => {
  const all: Array<number> = []
  for (let round = 0; round < count; round++) all.push(await measure())
  return median(all)
}

/** A warm client: measured is the state that lasts for hours. */
const warm = async (name: string, address: string): Promise<Runner> => {
  const runner = await startRunner(contestantCommand(name, address))
  await get(runner, 300_000)
  return runner
}

/**
 * In bursts of the size, each after the one before, so many that they take long enough to be measured: a single burst of a
 * thousand takes three milliseconds, of which asking this process for it and telling of it is one. The sizes take turns,
 * so that what a process becomes with age is told apart from what a size costs.
 */
const growingOperations = async ({ address, quick, rounds: times }: Options): Promise<ReadonlyArray<Point>> => {
  const floor = await warm("floor", address)
  const ours = await warm("effect", address)
  const sizes = [1000, 10_000, 100_000, ...(quick ? [] : [1_000_000])]
  const costs = sizes.map((size) => ({ size, floor: Array<number>(), ours: Array<number>() }))
  for (let round = 0; round < times; round++) {
    for (const cost of costs) {
      const bursts = Math.max(1, 200_000 / cost.size)
      cost.floor.push(await get(floor, cost.size, bursts))
      cost.ours.push(await get(ours, cost.size, bursts))
    }
  }
  await Promise.all([floor.stop(), ours.stop()])
  return costs.map((cost) => ({
    what: "gets in a row, 64 in flight",
    size: cost.size,
    cpu: median(cost.ours),
    relative: beside(cost.ours, costs[0]?.ours ?? [])[0],
    floor: median(cost.floor)
  }))
}

const getsBeside = "gets beside watches, 64 in flight"

/** Each number of watches in a process of its own; the processes take turns with their gets. */
const growingWatches = async ({ address, quick, rounds: times }: Options): Promise<ReadonlyArray<Point>> => {
  const sets: Array<Point> = []
  const all: Array<{ readonly size: number; readonly runner: Runner; readonly costs: Array<number> }> = []
  for (const size of [10, 1000, 10_000, ...(quick ? [] : [100_000])]) {
    const runner = await warm("effect", address)
    const idle = await runner.ask({ job: "idle" })
    const step = { op: "watch", root: watched, count: size, inFlight: 64 } as const
    const set = await runner.ask({ job: "step", step, stride: 0 })
    const after = await runner.ask({ job: "idle" })
    if (size >= 1000) {
      const memory = (after.heap - idle.heap) / size
      sets.push({ what: "watches set for the first time", size, cpu: set.cpuMicros / size, memory })
    }
    all.push({ size, runner, costs: [] })
  }
  for (let round = 0; round < times; round++) {
    for (const { costs, runner } of all) costs.push(await get(runner, 100_000))
  }
  await Promise.all(all.map(({ runner }) => runner.stop()))
  const gets = all.map(({ costs, size }) => ({
    what: getsBeside,
    size,
    cpu: median(costs),
    relative: beside(costs, all[0]?.costs ?? [])[0]
  }))
  return [...gets, ...sets]
}

const growingSessions = async ({ address, quick, rounds: times }: Options): Promise<ReadonlyArray<Point>> => {
  const points: Array<Point> = []
  const run = async (name: string, sessions: number) => {
    const runner = await startRunner(contestantCommand(name, address))
    // Enough that the beginning of each session does not count.
    const count = Math.max(200_000, sessions * 500)
    let heap = 0
    // A thousand sessions take long to make.
    const cpu = await rounds(sessions > 100 ? Math.min(times, 3) : times, async () => {
      const sample = await runner.ask({ job: "many", sessions, count, inFlight: 64, path: kilobyte })
      heap ||= sample.heap
      return sample.cpuMicros / sample.operations
    })
    await runner.stop()
    return { cpu, heap }
  }
  for (const sessions of [1, 10, 100, ...(quick ? [] : [1000])]) {
    const floor = await run("floor", sessions)
    const ours = await run("effect", sessions)
    points.push({
      what: "sessions in one process, 64 gets in flight in each",
      size: sessions,
      cpu: ours.cpu,
      floor: floor.cpu,
      ...(sessions < 100 ? {} : { memory: ours.heap / sessions })
    })
  }
  return points
}

/** A span a request, tracing switched off by name, and what an application has that says nothing of it. */
const tracingRuns = async ({ address, rounds: times }: Options): Promise<ReadonlyArray<Point>> => {
  const contestants = [
    ["no tracer provided", "effect"],
    ["tracing switched off", "effectUntraced"],
    ["a span for each request", "effectTraced"]
  ] as const
  const runners = await Promise.all(contestants.map(([, name]) => warm(name, address)))
  const costs = contestants.map((): Array<number> => [])
  for (let round = 0; round < times; round++) {
    for (const [index, runner] of runners.entries()) costs[index]!.push(await get(runner, 100_000))
  }
  await Promise.all(runners.map((runner) => runner.stop()))
  return contestants.map(([what], index) => ({ what: `tracing: ${what}`, size: 1, cpu: median(costs[index]!) }))
}
