/**
 * From samples to tables: medians, and ratios to the floor, each ratio taken within one round.
 */
import * as Record from "effect/Record"
import type { Sample } from "./measure.ts"
import type { Series } from "./rounds.ts"

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = Float64Array.from(values).toSorted()
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The figures of a stretch of work. */
export const metrics = {
  /** Microseconds of processor time for one operation, user and system, all threads of the client. */
  cpu: (sample: Sample) => sample.cpuMicros / sample.operations,
  /** Operations a second. */
  throughput: (sample: Sample) => (sample.operations / sample.wallMicros) * 1_000_000,
  /** Microseconds that one operation takes by the clock, when there is one at a time. */
  wall: (sample: Sample) => sample.wallMicros / sample.operations,
  /** Microseconds. */
  p50: (sample: Sample) => sample.p50,
  p99: (sample: Sample) => sample.p99,
  /** MiB. */
  rss: (sample: Sample) => sample.rss / 1_048_576
} as const

export type Metric = keyof typeof metrics

/** One contestant in one row, in numbers. */
interface Summary {
  readonly contestant: string
  readonly medians: Readonly<Record<Metric, number>>
  /** Of processor time for one operation to the floor's of the same round: median, least, most. */
  readonly toFloor: Spread
}

/** One row of the results. */
interface Row {
  readonly workload: string
  readonly title: string
  readonly server: string
  readonly row: string
  readonly contestants: ReadonlyArray<Summary>
}

/** The median, and the least and the most of the rounds. */
export type Spread = readonly [middle: number, least: number, most: number]

/** Values beside others of the same rounds. */
export const beside = (of: ReadonlyArray<number>, to: ReadonlyArray<number>): Spread => {
  const all = of.slice(0, to.length).map((value, round) => value / to[round]!)
  return [median(all), Math.min(...all), Math.max(...all)]
}

export const spreadText = ([middle, least, most]: Spread): string =>
  `${middle.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`

/** One metric beside that of another contestant, round by round. */
export const ratio = (of: Series, to: Series, metric: Metric): Spread =>
  beside(of.samples.map(metrics[metric]), to.samples.map(metrics[metric]))

export const summarize = (all: ReadonlyArray<Series>): ReadonlyArray<Row> => {
  const keys = [...new Set(all.map(({ row, server, workload }) => `${workload}\n${server}\n${row}`))]
  return keys.map((key) => {
    const series = all.filter(({ row, server, workload }) => `${workload}\n${server}\n${row}` === key)
    const floor = series.find(({ contestant }) => contestant === "floor")
    const { row, server, title, workload } = series[0]!
    const contestants = series.map((one): Summary => ({
      contestant: one.contestant,
      medians: Record.map(metrics, (metric) => median(one.samples.map(metric))),
      toFloor: floor === undefined ? [Number.NaN, Number.NaN, Number.NaN] : ratio(one, floor, "cpu")
    }))
    return { workload, title, server, row, contestants }
  })
}

export const digits = (value: number): string =>
  Number.isNaN(value) ? "" : value >= 999.5 ? Math.round(value).toLocaleString("en") : value.toPrecision(3)

/** A row's name, where a workload may have several. */
export const labelOf = ({ row, title, workload }: Pick<Row, "row" | "title" | "workload">): string =>
  /^(?:writes|watches)/.test(workload) ? `${title}: ${row}` : title

/** A table in Markdown. */
export const markdown = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")

/** Processor time of the client for one operation in microseconds, of what was measured against a real server. */
export const costTable = (rows: ReadonlyArray<Row>): string =>
  table(
    rows.filter(({ server }) => server === "real"),
    ({ medians }) => digits(medians.cpu)
  )

/** Processor time of the client for one operation in microseconds, and in brackets its ratio to the floor's. */
export const cpuTable = (rows: ReadonlyArray<Row>): string =>
  table(
    rows,
    ({ medians, toFloor }) =>
      `${digits(medians.cpu)} (${toFloor[0].toFixed(2)}; ${toFloor[1].toFixed(2)}–${toFloor[2].toFixed(2)})`
  )

export const throughputTable = (rows: ReadonlyArray<Row>): string =>
  table(rows, ({ medians }) => digits(medians.throughput))

/** Medians of p50 and p99 in microseconds, where latencies were taken. */
export const latencyTable = (rows: ReadonlyArray<Row>): string =>
  table(
    rows.filter(({ contestants }) => contestants.some(({ medians }) => medians.p50 > 0)),
    ({ medians }) => (medians.p50 === 0 ? "–" : `${digits(medians.p50)} / ${digits(medians.p99)}`)
  )

export const memoryTable = (rows: ReadonlyArray<Row>): string => table(rows, ({ medians }) => digits(medians.rss))

const table = (rows: ReadonlyArray<Row>, cell: (summary: Summary) => string): string => {
  const names = [...new Set(rows.flatMap(({ contestants }) => contestants.map(({ contestant }) => contestant)))]
  const isMixed = rows.some(({ server }) => server !== rows[0]?.server)
  return markdown(
    ["", ...names],
    rows.map(({ contestants, row, server, title, workload }) => {
      const label = labelOf({ row, title, workload })
      const cells = names.map((name) => {
        const summary = contestants.find(({ contestant }) => contestant === name)
        return summary === undefined ? "–" : cell(summary)
      })
      return [isMixed ? `${server}: ${label}` : label, ...cells]
    })
  )
}
