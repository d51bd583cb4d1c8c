/**
 * The figures that were set for the client before it was measured, and whether a run reaches them.
 */
import type { Series } from "./rounds.ts"
import { type Metric, median, metrics, ratio } from "./tables.ts"

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
  const atMost = atMostIn(all)
  const against = (peer: string) => (title: string, bound: number, at: readonly [string, string, string]) =>
    atMost(`${title}: client CPU`, bound, at, "cpu", ["effect", peer])
  const peers = [...new Set(all.map(({ contestant }) => contestant))].filter((name) => !ours.has(name))
  const toGo = against("go-zookeeper")
  const reads = [64, 256].map((k) => [`get, ${k} in flight`, [`get-${k}`, "real", "get"]] as const)
  const writes = ["create", "set", "delete"].map((op) => [`${op}, 256 in flight`, ["writes", "real", op]] as const)
  return [
    ...[...reads, ...writes].flatMap(([title, at]) => peers.flatMap((peer) => against(peer)(title, 1, at))),
    ...[1, 16].flatMap((k) =>
      toGo(`transactions of 100 creates, ${k} in flight`, 1.2, [`transactions-${k}`, "real", "transaction"])
    ),
    ...toGo("getChildren of 10,000", 1.3, ["children", "real", "children"]),
    ...toGo("set a watch", 1.3, ["watches", "real", "set a watch"]),
    ...toGo("deliver a notification", 1.3, ["watches", "real", "deliver a notification"]),
    ...against("node-zookeeper-client")("session: connect, get, close", 1, ["sessions", "real", "session"])
  ]
}

/** The contestants that are no peers. */
const ours: ReadonlySet<string> = new Set(["floor", "effect", "promise"])

/** Compares contestants in the rows of a run: ours by the Effect API with the floor, unless two are named. */
const atMostIn = (all: ReadonlyArray<Series>) => {
  const find = (workload: string, server: string, row: string, contestant: string) =>
    all.find(
      (one) => one.workload === workload && one.server === server && one.row === row && one.contestant === contestant
    )

  /** Nothing where one of them was not measured. */
  return (
    title: string,
    bound: number,
    [workload, server, row]: readonly [string, string, string],
    metric: Metric = "cpu",
    [of, to]: readonly [string, string] = ["effect", "floor"]
  ): ReadonlyArray<Figure> => {
    const one = find(workload, server, row, of)
    const other = find(workload, server, row, to)
    if (one === undefined || other === undefined) return []
    const [middle, least, most] = ratio(one, other, metric)
    const against = to === "floor" ? "the floor's" : `${to}'s`
    return [
      {
        title,
        bound:
          bound < 1 ? `at least ${Math.round(1 / bound)} times less than ${against}` : `at most ${bound} × ${against}`,
        measured: `${middle.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`,
        met: middle <= bound ? "yes" : "no"
      }
    ]
  }
}

export const figures = (all: ReadonlyArray<Series>): ReadonlyArray<Figure> => {
  const atMost = atMostIn(all)
  const real = "real"
  const stub = "stub"
  return [
    ...[64, 256, 1024].flatMap((k) =>
      atMost(`real server, get, ${k} in flight: client CPU`, 1.5, [`get-${k}`, real, "get"])
    ),
    ...["create", "set", "delete"].flatMap((op) =>
      atMost(`real server, ${op}, 256 in flight: client CPU`, 1.5, ["writes", real, op])
    ),
    ...[1, 16].flatMap((k) =>
      atMost(`real server, transactions of 100 creates, ${k} in flight: client CPU`, 1.8, [
        `transactions-${k}`,
        real,
        "transaction"
      ])
    ),
    ...atMost("real server, getChildren of 10,000: client CPU", 5, ["children", real, "children"]),
    ...atMost("real server, set a watch: client CPU", 2, ["watches", real, "set a watch"]),
    ...atMost("real server, deliver a notification: client CPU", 2.5, ["watches", real, "deliver a notification"]),
    ...throughput(all),
    ...atMost("drop to first answer, 10,000 watches: time", 2, ["reconnect", real, "reconnect"], "wall"),
    ...atMost("session, real server: client CPU", 1.2, ["sessions", real, "session"]),
    ...[64, 1024].flatMap((k) => {
      const at = [`get-${k}`, stub, "get"] as const
      const title = `stub, get, ${k} in flight`
      return atMost(`${title}, Effect API: client CPU`, 4, at).concat(
        atMost(`${title}, Effect API: client CPU`, 1 / 6, at, "cpu", ["effect", "node-zookeeper-client"]),
        atMost(`${title}, Promise facade: client CPU`, 1.3, at, "cpu", ["promise", "effect"])
      )
    }),
    ...atMost("real server, one in flight: p50", 1.1, ["get-1", real, "get"], "p50"),
    ...atMost("stub, one in flight: p50", 1.3, ["get-1", stub, "get"], "p50")
  ]
}

const rate = (series: Series): number => median(series.samples.map(metrics.throughput))

/** Throughput beyond one in flight, against the best other client in each row. */
const throughput = (all: ReadonlyArray<Series>): ReadonlyArray<Figure> => {
  const effects = all.filter(
    ({ contestant, server, workload }) =>
      contestant === "effect" && server === "real" && /^(?:get-|writes|transactions|children)/.test(workload)
  )
  return effects.flatMap((one) => {
    const others = all.filter(
      (other) =>
        other.workload === one.workload &&
        other.server === one.server &&
        other.row === one.row &&
        !ours.has(other.contestant)
    )
    const best = others.toSorted((a, b) => rate(b) - rate(a))[0]
    if (best === undefined) return []
    const [middle, least, most] = ratio(one, best, "throughput")
    const name = one.workload === "writes" ? one.row : one.title
    return [
      {
        title: `real server, ${name}: throughput`,
        bound: `not below any other client's, beyond the noise`,
        measured: `${middle.toFixed(2)} × ${best.contestant}'s (${least.toFixed(2)}–${most.toFixed(2)})`,
        met: middle >= 1 ? "yes" : most >= 1 ? "open" : "no"
      }
    ]
  })
}
