/** The picture of `zk top`: the last samples of the members, in a window of some size. */
import type { MemberStatus } from "../../MemberStatus.ts"
import * as Output from "../../Output.ts"
import { type Cells, type Column, fit, widthOf } from "../output/columns.ts"
import type { Style } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { memberCells } from "./memberCells.ts"
import { sparkline } from "./sparkline.ts"

/** All members at one time, in milliseconds. */
export interface Sample {
  readonly time: number
  readonly members: ReadonlyArray<MemberStatus>
}

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
  const all = last.members.map((member, index) => cellsOf(member, historyOf(samples, index)))
  const chosen = fit(table, byWorth, all, columns)
  const widths = chosen.map((column) => widthOf(column, all))
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd()
  const lines = [
    cut(titleOf(last, samples.at(-2)), columns),
    "",
    style.bold(cut(line(chosen.map(({ title }) => title)), columns)),
    ...last.members.map((member, index) => {
      const text = cut(line(chosen.map(({ name }) => all[index]?.[name] ?? "")), columns)
      return member.state === "serving" ? text : style.yellow(text)
    }),
    "",
    ...last.members.flatMap(({ problem, state }) =>
      problem === undefined || state === "serving" ? [] : [style.yellow(cut(shown(problem), columns))]
    )
  ]
  const help = style.dim(cut("q ends", columns))
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
  "rate",
  "trip",
  "lag",
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

const historyOf = (samples: ReadonlyArray<Sample>, index: number): History => ({
  rates: samples.slice(1).map((sample, before) => rateOf(samples[before], sample, index)),
  trips: samples.map(({ members }) => members[index]?.roundTrip)
})

const rateOf = (before: Sample | undefined, after: Sample, index: number): number | undefined => {
  const [first, second] = [before?.members[index]?.received, after.members[index]?.received]
  if (before === undefined || first === undefined || second === undefined || second < first) return undefined
  const seconds = (after.time - before.time) / 1000
  return seconds <= 0 ? undefined : (second - first) / seconds
}

const cellsOf = (member: MemberStatus, { rates, trips }: History): Cells<Name> => {
  const rate = rates.at(-1)
  return {
    ...memberCells(member),
    rate: rate === undefined ? "-" : rate.toFixed(0),
    rates: sparkline(rates, plotWidth),
    trip: member.roundTrip === undefined ? "-" : `${member.roundTrip.toFixed(1)} ms`,
    trips: sparkline(trips, plotWidth)
  }
}

const titleOf = ({ members, time }: Sample, before: Sample | undefined): string => {
  const serving = members.filter(({ state }) => state === "serving").length
  const [newest, last] = [newestOf(members), before === undefined ? undefined : newestOf(before.members)]
  const parts = [`zk top  ${serving} of ${members.length} serve`]
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

const newestOf = (members: ReadonlyArray<MemberStatus>): bigint | undefined =>
  members.reduce<bigint | undefined>(
    (newest, { zxid }) => (zxid === undefined || (newest !== undefined && newest > zxid) ? newest : zxid),
    undefined
  )

const cut = (text: string, columns: number): string => (text.length <= columns ? text : text.slice(0, columns))
