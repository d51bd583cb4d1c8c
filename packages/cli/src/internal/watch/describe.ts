/** The text of what a watch sees. */
import * as Output from "../../Output.ts"
import { block, cut, linesOf } from "../output/data.ts"
import type { Style } from "../output/Printer.ts"
import { count, shown } from "../output/text.ts"
import { diffLines } from "./diff.ts"
import type { Observation } from "./observe.ts"

/** The part of new data that a text shows. */
export type Show = "value" | "diff" | "none"

/** A line with time, event and path, and the data below it. */
export const describe =
  (show: Show) =>
  (observation: Observation, style: Style): string => {
    const { event, path, time } = observation
    const head = `${style.dim(timeOf(time))}  ${paint(event, style)}  ${shown(path)}`
    return `${head}${style.dim(remarks(observation))}\n${names(observation, style)}${body(observation, show, style)}`
  }

/** The date and the time of a clock, in UTC. */
export const timeOf = (millis: number): string => Output.formatTime(millis).replace("T", " ")

// ---- internal

const paint = (event: Observation["event"], style: Style): string => {
  const text = event.padEnd(8)
  return event === "gap" || event === "deleted" ? style.yellow(text) : style.bold(text)
}

const remarks = (observation: Observation): string => {
  const { children, event, stat, unread, zxid } = observation
  if (event === "gap") return "  events may have been missed"
  const newest = event === "children" ? stat?.pzxid : stat?.mzxid
  const number = zxid ?? newest
  const parts = [
    ...(stat === undefined || event === "children" ? [] : [`version ${stat.version}`, `${stat.dataLength} bytes`]),
    ...(children === undefined ? [] : [count(children, "child", "children")]),
    ...(number === undefined ? [] : [`zxid ${Output.formatHex(number)}`]),
    ...(unread === "gone" ? ["gone before it was read"] : []),
    ...(unread === "forbidden" ? ["its ACL forbids to read it"] : []),
    ...unseen(observation)
  ]
  return parts.length === 0 ? "" : `  ${parts.join(", ")}`
}

/** Writes that came so quickly one after the other that only the last one was read. */
const unseen = ({ before, event, stat }: Observation): ReadonlyArray<string> => {
  if (event !== "changed" || before === undefined || stat === undefined) return []
  if (before.mzxid === stat.mzxid) return ["shown above"]
  const missed = before.czxid === stat.czxid ? stat.version - before.version - 1 : 0
  return missed > 0 ? [`${count(missed, "version")} between not seen`] : []
}

const names = ({ added = [], removed = [] }: Observation, style: Style): string =>
  block([...removed.map((name) => style.dim(`- ${shown(name)}`)), ...added.map((name) => `+ ${shown(name)}`)], "  ")

const body = ({ before, event, stat, text }: Observation, show: Show, style: Style): string => {
  if (text === undefined || show === "none" || event === "absent") return ""
  // Another event was read together with this one, or the state after a gap is the one before it.
  if (before !== undefined && before.mzxid === stat?.mzxid) return ""
  const lines = linesOf(text)
  if (show === "value" || before === undefined) return block(lines, "  ")
  const changed = diffLines(linesOf(before.text), lines)
  return block(
    changed.map(({ line, sign }) => (sign === "-" ? style.dim(cut(`- ${line}`)) : cut(`+ ${line}`))),
    "  "
  )
}
