/** The picture of `zk top`: the last samples of the members, in a window of some size. */
import * as Output from "../../Output.ts"
import { type Cells, type Column, fit, widthOf } from "../output/columns.ts"
import type { Style } from "../output/Printer.ts"
import { age } from "../output/short.ts"
import { shown } from "../output/text.ts"
import type { Row, Sample } from "./looks.ts"
import { memberCells } from "./memberCells.ts"
import { sparkline } from "./sparkline.ts"

/** The samples that are kept: as many as a plot can show. */
export const kept = 60

/** The lines of the picture, none of them wider than the window, and no more than it has. */
export const render = (
  samples: ReadonlyArray<Sample>,
  { columns, rows }: { readonly columns: number; readonly rows: number },
  style: Style
): ReadonlyArray<string> => {
  const last = samples.at(-1)
  if (last === undefined) return [cut("zk top: the first answers are awaited", columns)]
  const all = last.rows.map((row) => cellsOf(row, historyOf(samples, row.member.server)))
  const chosen = fit(table, byWorth, all, columns)
  const widths = chosen.map((column) => widthOf(column, all))
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd()
  const above = [
    cut(titleOf(last, samples.at(-2)), columns),
    "",
    style.bold(cut(line(chosen.map(({ title }) => title)), columns))
  ]
  const shownRows = last.rows.slice(0, Math.max(0, rows - 1 - above.length))
  const hidden = last.rows.length - shownRows.length
  const lines = [
    ...above,
    ...shownRows.map((row, index) => {
      const text = cut(line(chosen.map(({ name }) => all[index]?.[name] ?? "")), columns)
      return isServing(row) ? text : style.yellow(text)
    }),
    "",
    ...last.rows.flatMap(({ member: { problem, state } }) =>
      problem === undefined || state === "serving" ? [] : [style.yellow(cut(shown(problem), columns))]
    )
  ]
  const notShown = hidden === 0 ? "" : `; ${hidden} of ${last.rows.length} not shown`
  const help = style.dim(cut(`q ends${notShown}`, columns))
  return rows < 2 ? lines.slice(0, rows) : [...lines.slice(0, rows - 1), help]
}

// ---- internal

type Name =
  | "server"
  | "mode"
  | "rate"
  | "trip"
  | "lag"
  | "connections"
  | "outstanding"
  | "watches"
  | "znodes"
  | "rates"
  | "trips"
  | "version"

/** In the order of the table. */
const table: ReadonlyArray<Column<Name>> = [
  { name: "server", title: "SERVER" },
  { name: "mode", title: "MODE" },
  { name: "version", title: "VERSION" },
  { name: "lag", title: "LAG" },
  { name: "connections", title: "CONNS" },
  { name: "watches", title: "WATCHES" },
  { name: "znodes", title: "ZNODES" },
  { name: "outstanding", title: "WAITING" },
  { name: "rate", title: "PACKETS/S" },
  { name: "rates", title: "" },
  { name: "trip", title: "ROUND TRIP" },
  { name: "trips", title: "" }
]

/** In the order of their worth: a narrow window has the first of them. */
const byWorth: ReadonlyArray<Name> = [
  "server",
  "mode",
  "lag",
  "rate",
  "trip",
  "connections",
  "outstanding",
  "rates",
  "trips",
  "watches",
  "znodes",
  "version"
]

const plotWidth = 20

interface History {
  /** Packets that came in each second; undefined where a member did not answer, or has begun to count anew. */
  readonly rates: ReadonlyArray<number | undefined>
  readonly trips: ReadonlyArray<number | undefined>
}

/** Members may come and go: the past of each is found by its name. */
const historyOf = (samples: ReadonlyArray<Sample>, server: string): History => {
  const past = samples.map(({ rows }) => rows.find(({ member }) => member.server === server))
  return {
    rates: past.slice(1).map((row, before) => rateOf(past[before], row)),
    trips: past.map((row, index) => (isNew(past[index - 1], row) ? row?.member.roundTrip : undefined))
  }
}

/** Whether a member has answered since. */
const isNew = (before: Row | undefined, after: Row | undefined): boolean => after?.at !== before?.at

/** By the times of the answers, between which a picture may have been drawn without one. */
const rateOf = (before: Row | undefined, after: Row | undefined): number | undefined => {
  const [first, second] = [before?.member.received, after?.member.received]
  if (before?.at === undefined || after?.at === undefined) return undefined
  if (first === undefined || second === undefined || second < first) return undefined
  const seconds = (after.at - before.at) / 1000
  return seconds <= 0 ? undefined : (second - first) / seconds
}

/** With the last rate and round trip that are known, where an answer is awaited. */
const cellsOf = ({ at, member, waiting }: Row, { rates, trips }: History): Cells<Name> => {
  const rate = waiting === undefined ? rates.at(-1) : rates.findLast((each) => each !== undefined)
  const cells = memberCells(member)
  const waited = waiting === undefined || waiting < 1000 ? "" : ` ${age(waiting)}`
  return {
    ...cells,
    mode: waiting === undefined ? cells.mode : `waiting${waited}`,
    rate: at === undefined || rate === undefined ? "-" : rate.toFixed(0),
    rates: sparkline(rates, plotWidth),
    trip: member.roundTrip === undefined ? "-" : `${member.roundTrip.toFixed(1)} ms`,
    trips: sparkline(trips, plotWidth)
  }
}

const isServing = ({ member, waiting }: Row): boolean => waiting === undefined && member.state === "serving"

const titleOf = ({ rows, time }: Sample, before: Sample | undefined): string => {
  const serving = rows.filter(isServing).length
  const [newest, last] = [newestOf(rows), before === undefined ? undefined : newestOf(before.rows)]
  const parts = [`zk top  ${serving} of ${rows.length} serve`]
  if (newest !== undefined) {
    const seconds = before === undefined ? 0 : (time - before.time) / 1000
    // Another epoch is a new leader, whose transactions are counted anew.
    const isSame = last !== undefined && last >> 32n === newest >> 32n && newest >= last && seconds > 0
    const rate = isSame ? ` (+${(Number(newest - last) / seconds).toFixed(0)}/s)` : ""
    parts.push(`zxid ${Output.formatHex(newest)}${rate}`)
  }
  parts.push(Output.formatTime(time).replace(/^.*T/, "").replace(/\..*$/, "Z"))
  return parts.join("  ")
}

const newestOf = (rows: ReadonlyArray<Row>): bigint | undefined =>
  rows.reduce<bigint | undefined>(
    (newest, { member: { zxid } }) => (zxid === undefined || (newest !== undefined && newest > zxid) ? newest : zxid),
    undefined
  )

const cut = (text: string, columns: number): string => (text.length <= columns ? text : text.slice(0, columns))
