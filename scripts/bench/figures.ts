/**
 * The figures that were set for the client before it was measured, and whether a run reaches them.
 */
import type { Series } from "./rounds.ts"
import { labelOf, type Metric, median, metrics, ratio, type Spread, spreadText } from "./tables.ts"

/** A figure: its subject, its bound, and the measured value. */
export interface Figure {
  readonly title: string
  readonly bound: string
  readonly measured: string
  /** `open` where the rounds differ by more than what is missing. */
  readonly met: "yes" | "no" | "open"
}

/** Of the first operations of a new process, against the peers. */
export const coldFigures = (all: ReadonlyArray<Series>): ReadonlyArray<Figure> => {
  const atMostOf = atMostIn(all)
  const toGo = (title: string, bound: number, row: Row) => atMostOf(title, bound, row, { to: "go-zookeeper" })
  return [
    ...requests.flatMap(([title, row]) => belowEveryPeer(all, title, row)),
    ...transactions.flatMap(([title, row]) => toGo(title, 1.2, row)),
    ...toGo("getChildren of 10,000", 1.3, children),
    ...watches.flatMap(([title, row]) => toGo(title, 1.3, row)),
    ...atMostOf(session.title, 1, session.row, { to: "node-zookeeper-client" })
  ]
}

/** Of a process that has run for long. */
export const figures = (all: ReadonlyArray<Series>): ReadonlyArray<Figure> => {
  const atMostOf = atMostIn(all)
  const belowGo = (title: string, row: Row) => atMostOf(title, 1, row, { to: "go-zookeeper" })
  return [
    ...requests.flatMap(([title, row]) => atMostOf(title, 1.4, row)),
    ...transactions.flatMap(([title, row]) => belowGo(title, row)),
    ...transactions.flatMap(([title, row]) => atMostOf(title, 1.8, row)),
    ...belowGo("getChildren of 10,000", children),
    ...watches.flatMap(([title, row]) => belowGo(title, row)),
    ...atMostOf(session.title, 1.5, session.row),
    ...atMostOf("drop to first answer, 10,000 watches: time", 1.5, ["reconnect", "real", "reconnect"], {
      metric: "wall"
    }),
    ...[64, 1024].flatMap((k) =>
      atMostOf(`get from a stub, ${k} in flight, by Promises`, 1.15, stub(k), { of: "promise", to: "effect" })
    ),
    ...atMostOf("get from a stub, 1,024 in flight", 3, stub(1024)),
    ...throughput(all)
  ]
}

/** The workload, the server and the row of a table. */
type Row = readonly [workload: string, server: string, row: string]

const requests = [64, 256].flatMap((k) =>
  ["get", "create", "set", "delete"].map((op) => {
    const row: Row = [`${op === "get" ? op : "writes"}-${k}`, "real", op]
    return [`${op}, ${k} in flight`, row] as const
  })
)

const transactions = [1, 16].map(
  (k) => [`transactions of 100 creates, ${k} in flight`, [`transactions-${k}`, "real", "transaction"]] as const
)

const children: Row = ["children", "real", "children"]

const watches = ["set a watch", "deliver a notification"].map((row) => [row, ["watches", "real", row]] as const)

const stub = (inFlight: number): Row => [`get-${inFlight}`, "stub", "get"]

const session = { title: "session: connect, get, close", row: ["sessions", "real", "session"] } as const

/** The contestants that are no peers. */
const ours: ReadonlySet<string> = new Set(["floor", "effect", "promise"])

const inRow = (all: ReadonlyArray<Series>, [workload, server, row]: Row): ReadonlyArray<Series> =>
  all.filter((one) => one.workload === workload && one.server === server && one.row === row)

const find = (all: ReadonlyArray<Series>, row: Row, wanted: string): Series | undefined =>
  inRow(all, row).find(({ contestant }) => contestant === wanted)

const peersIn = (all: ReadonlyArray<Series>, row: Row): ReadonlyArray<Series> =>
  inRow(all, row).filter(({ contestant }) => !ours.has(contestant))

interface Compared {
  /** The Effect API if left out. */
  readonly of?: string
  /** The floor if left out. */
  readonly to?: string
  /** Client CPU if left out. */
  readonly metric?: Metric
}

/** Compares two contestants in a row of a run; nothing where one of them was not measured. */
const atMostIn =
  (all: ReadonlyArray<Series>) =>
  (
    title: string,
    bound: number,
    row: Row,
    { metric = "cpu", of = "effect", to = "floor" }: Compared = {}
  ): ReadonlyArray<Figure> => {
    const one = find(all, row, of)
    const other = find(all, row, to)
    if (one === undefined || other === undefined) return []
    return [atMost(title, bound, to === "floor" ? "the floor's" : `${to}'s`, ratio(one, other, metric))]
  }

/** A bound on how much it takes beside another. */
export const atMost = (title: string, bound: number, of: string, measured: Spread): Figure => ({
  title,
  bound: bound === 1 ? `at most ${of}` : `at most ${bound} × ${of}`,
  measured: spreadText(measured),
  met: measured[0] <= bound ? "yes" : "no"
})

/** Beside the peer that takes least. */
const belowEveryPeer = (all: ReadonlyArray<Series>, title: string, row: Row): ReadonlyArray<Figure> => {
  const own = find(all, row, "effect")
  const best = peersIn(all, row).toSorted((a, b) => cost(a) - cost(b))[0]
  if (own === undefined || best === undefined) return []
  const [middle, least, most] = ratio(own, best, "cpu")
  return [
    {
      title,
      bound: "below every peer's",
      measured: `${middle.toFixed(2)} × ${best.contestant}'s (${least.toFixed(2)}–${most.toFixed(2)})`,
      met: middle < 1 ? "yes" : "no"
    }
  ]
}

const cost = (series: Series): number => median(series.samples.map(metrics.cpu))

const rate = (series: Series): number => median(series.samples.map(metrics.throughput))

/** Throughput on a real server, against the best other client in each row: the row in which it is least. */
const throughput = (all: ReadonlyArray<Series>): ReadonlyArray<Figure> => {
  const effects = all.filter(
    ({ contestant, server, workload }) =>
      contestant === "effect" && server === "real" && /^(?:get-|writes|transactions|children)/.test(workload)
  )
  const compared = effects.flatMap((one) => {
    const best = peersIn(all, [one.workload, one.server, one.row]).toSorted((a, b) => rate(b) - rate(a))[0]
    if (best === undefined) return []
    return [{ name: labelOf(one), best: best.contestant, ratio: ratio(one, best, "throughput") }]
  })
  const worst = compared.toSorted((a, b) => a.ratio[0] - b.ratio[0])[0]
  if (worst === undefined) return []
  const [middle, least, most] = worst.ratio
  return [
    {
      title: `throughput in ${compared.length} rows`,
      bound: "not below any other client's, beyond the noise",
      measured: `least ${middle.toFixed(2)} × ${worst.best}'s (${least.toFixed(2)}–${most.toFixed(2)}): ${worst.name}`,
      met: compared.some(({ ratio: [, , upper] }) => upper < 1) ? "no" : middle >= 1 ? "yes" : "open"
    }
  ]
}
