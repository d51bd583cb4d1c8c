/** `zk status`: the members of the ensemble in one table. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Diagnosis from "../../Diagnosis.ts"
import * as MemberStatus from "../../MemberStatus.ts"
import * as Output from "../../Output.ts"
import { NoMemberReached } from "../frame/errors.ts"
import { type Cells, type Column, fit } from "../output/columns.ts"
import { inFlags } from "../output/flagNames.ts"
import { printOne, Printer, type Style } from "../output/Printer.ts"
import { shown, size, table } from "../output/text.ts"
import { isAnswering, memberCells, numberText } from "./memberCells.ts"
import { explainUnknown } from "./discovery.ts"
import { findMembers, makeAsk, showAnswers, timesOf } from "./network.ts"

export interface Input {
  /** The port of the AdminServers, where they are asked instead of the servers. */
  readonly adminPort: number | undefined
  readonly discover: boolean
  readonly within: string
}

/** It succeeds where any member answers: the table has the others, too. */
export const status = Effect.fnUntraced(function* (input: Input) {
  const { mode, note } = yield* Printer
  const { inTime, within } = yield* timesOf(input.within)
  const { servers, unknown } = yield* inTime(findMembers(input.discover))
  const timeout = yield* within
  const { ask, showing } = yield* showAnswers(servers, yield* makeAsk(input.adminPort, timeout))
  const found = yield* showing(MemberStatus.askAllBy(servers, ask))
  const time = yield* Clock.currentTimeMillis
  const isDown = !found.some(isAnswering)
  // Where none answers, the error has the reason.
  const value = { time, members: found, ...(unknown === undefined ? {} : { notAsked: unknown.count }) }
  yield* printOne(Diagnosis.Status, value, (_, style) => (isDown ? "" : toText(found, style)))
  if (mode === "text" && unknown !== undefined) yield* note(explainUnknown(unknown))
  const [only, ...others] = found
  if (mode === "text" && !input.discover && others.length === 0 && membersHave.has(only?.mode ?? "")) {
    yield* note("this is one member of an ensemble: --discover asks the others too")
  }
  if (isDown) {
    const problems = found.map(({ problem, server, state }) => inFlags(problem ?? `${server} is ${state}`))
    return yield* new NoMemberReached({ message: `no member answers: ${problems.join("; ")}` })
  }
})

// ---- internal

/** The modes of a server that has others beside it. */
const membersHave: ReadonlySet<string> = new Set(["leader", "follower", "observer"])

/** The table, and below it the problems. */
const toText = (found: ReadonlyArray<MemberStatus.MemberStatus>, style: Style): string => {
  const rows = found.map(cellsOf)
  const chosen = fit(columns, byWorth, rows, style.width)
  const lines = rows.map((cells, index) =>
    // One that is down has nothing to say in the other columns.
    found[index]?.state === "serving" ? chosen.map(({ name }) => cells[name]) : [cells.server, cells.mode]
  )
  const problems = found.flatMap(({ problem }) =>
    problem === undefined ? [] : [`${style.yellow(shown(inFlags(problem)))}\n`]
  )
  return table([chosen.map(({ title }) => title), ...lines]) + problems.join("")
}

type Name =
  | "server"
  | "mode"
  | "version"
  | "zxid"
  | "lag"
  | "latency"
  | "connections"
  | "watches"
  | "znodes"
  | "ephemerals"
  | "data"
  | "outstanding"

const columns: ReadonlyArray<Column<Name>> = [
  { name: "server", title: "SERVER" },
  { name: "mode", title: "MODE" },
  { name: "version", title: "VERSION" },
  { name: "zxid", title: "ZXID" },
  { name: "lag", title: "LAG" },
  { name: "latency", title: "LATENCY" },
  { name: "connections", title: "CONNS" },
  { name: "watches", title: "WATCHES" },
  { name: "znodes", title: "ZNODES" },
  { name: "ephemerals", title: "EPHEMERALS" },
  { name: "data", title: "DATA" },
  { name: "outstanding", title: "WAITING" }
]

const byWorth: ReadonlyArray<Name> = [
  "server",
  "mode",
  "lag",
  "latency",
  "connections",
  "outstanding",
  "version",
  "watches",
  "znodes",
  "zxid",
  "data",
  "ephemerals"
]

const cellsOf = (member: MemberStatus.MemberStatus): Cells<Name> => {
  const { dataSize, latency, zxid } = member
  return {
    ...memberCells(member),
    zxid: zxid === undefined ? "-" : Output.formatHex(zxid),
    // The average and the longest, in milliseconds.
    latency: latency === undefined ? "-" : `${Number(latency.avg.toFixed(1))}/${latency.max}`,
    ephemerals: numberText(member.ephemeralCount),
    data: dataSize === undefined ? "-" : size(dataSize)
  }
}
