/** Text for people. */
import * as Printable from "@effect-zookeeper/client/Printable"
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Output from "../../Output.ts"
import type { Style } from "./Printer.ts"

/** A path that cannot act on the terminal. */
export const shown = (path: string): string => Printable.escapeAll(path)

/** Text of several lines that cannot act on the terminal: only line feeds and tabs stay as they are. */
export const escapeText = (text: string): string => text.replaceAll(/[^\n\t]+/g, (part) => Printable.escapeAll(part))

/** A name or a path, in the colour of its kind. */
export const colored = (text: string, stat: Stat | undefined, style: Style): string =>
  stat === undefined
    ? shown(text)
    : stat.ephemeralOwner !== 0n
      ? style.yellow(shown(text))
      : stat.numChildren > 0
        ? style.blue(shown(text))
        : shown(text)

/** The bytes of data with a unit: 17, 4.0K, 1.5M. */
export const size = (bytes: number): string => {
  let value = bytes
  for (const unit of ["", "K", "M", "G"]) {
    if (value < 1024 || unit === "G") return unit === "" ? String(value) : `${value.toFixed(1)}${unit}`
    value /= 1024
  }
  return String(bytes)
}

/** The same in a sentence: 17 bytes of data, 4.0K of data. */
export const ofData = (bytes: number): string => `${bytes < 1024 ? count(bytes, "byte") : size(bytes)} of data`

/** A count with its noun. */
export const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

/** The titles above the lines of `ls -l`. */
export const longTitles = (last: "NAME" | "PATH"): string =>
  longCells("KIND", "VERSION", "CHILDREN", "BYTES", "WRITTEN".padEnd(20), last)

/** A line of `ls -l`: the kind, the version, the children, the bytes, the time of the last write, and the path. */
export const longLine = (path: string, stat: Stat | undefined, style: Style): string => {
  const name = colored(path, stat, style)
  if (stat === undefined) return longCells(style.dim("?   "), "?", "?", "?", style.dim("?".padEnd(20)), name)
  const kind = style.dim(Output.kindOf(stat.ephemeralOwner).charAt(0).padEnd(4))
  const time = Output.formatTime(stat.mtime)
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z")
  return longCells(kind, String(stat.version), String(stat.numChildren), size(stat.dataLength), style.dim(time), name)
}

const longCells = (kind: string, version: string, children: string, bytes: string, time: string, name: string) =>
  `${kind} ${version.padStart(7)} ${children.padStart(8)} ${bytes.padStart(7)}  ${time}  ${name}\n`

/** Names and values, the values below each other. */
export const fields = (rows: ReadonlyArray<readonly [name: string, value: string]>, style: Style): string => {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, value]) => `${style.dim(name.padEnd(width))}${value}\n`).join("")
}

/** A table whose columns are as wide as their widest cell. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths: Array<number> = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`
    )
    .join("")
}
