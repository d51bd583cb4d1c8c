/** The table of releases in the documentation: a row for each, which a run of all its suites replaces. */
import { formatCells, type MarkedTable, replaceRows } from "./markedTable.ts"
import type { SuiteResult } from "./suites.ts"

export interface Row {
  /** The release that was asked for. */
  readonly version: string
  /** The release that the server itself reports, or why there is no server. */
  readonly server: { readonly reported: string } | { readonly missing: string }
  readonly results: ReadonlyMap<string, SuiteResult>
}

/** Whether the server was there, and every test passed. */
export const isGreen = ({ results, server }: Row): boolean =>
  "reported" in server && [...results.values()].every(({ failures }) => failures.length === 0)

/** The line of a failure that a row has room for: apt's first error, or else the first line. */
export const reasonOf = (message: string): string => {
  const lines = message.split("\n")
  return lines.find((line) => line.startsWith("E: "))?.slice("E: ".length) ?? lines[0] ?? ""
}

/** A row of Markdown. */
export const formatRow = ({ results, server, version }: Row): string => {
  if ("missing" in server) return formatCells([version, `could not be had: ${server.missing}`, "–", "–", "–"])
  const sum = (of: (result: SuiteResult) => number) => [...results.values()].reduce((total, one) => total + of(one), 0)
  const failed = sum(({ failures }) => failures.length)
  const passed = `${sum((result) => result.passed)}${failed === 0 ? "" : `, **${failed} failed**`}`
  const gaps = new Map<string, number>()
  for (const result of results.values()) {
    for (const [reason, count] of result.gaps) gaps.set(reason, (gaps.get(reason) ?? 0) + count)
  }
  const reasons = [...gaps].map(([reason, count]) => `${count} ${count === 1 ? "test" : "tests"}: ${reason}`)
  return formatCells([
    server.reported,
    [...results].map(([name, result]) => `${name} ${result.passed}`).join(", "),
    passed,
    String(sum(({ refused }) => refused)),
    reasons.length === 0 ? "none" : reasons.join("; ")
  ])
}

/** Puts rows into the page's table, each in the place of its release. */
export const writeRows = (page: string, rows: ReadonlyArray<Row>, order: ReadonlyArray<string>): void =>
  replaceRows(
    { ...table, page },
    rows.map(formatRow),
    order.map((version) => [version])
  )

const table: Omit<MarkedTable, "page"> = {
  name: "servers",
  command: "test:servers",
  columns: ["version", "tests by suite", "passed", "refused as typed", "gaps and their reasons"],
  keys: 1
}
