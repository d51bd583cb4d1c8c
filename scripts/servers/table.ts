/** The table of releases in the documentation: a row for each, which a run of all its suites replaces. */
import * as Fs from "node:fs"
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
  if ("missing" in server) return cells([version, `could not be had: ${server.missing}`, "–", "–", "–"])
  const sum = (of: (result: SuiteResult) => number) => [...results.values()].reduce((total, one) => total + of(one), 0)
  const failed = sum(({ failures }) => failures.length)
  const passed = `${sum((result) => result.passed)}${failed === 0 ? "" : `, **${failed} failed**`}`
  const gaps = new Map<string, number>()
  for (const result of results.values()) {
    for (const [reason, count] of result.gaps) gaps.set(reason, (gaps.get(reason) ?? 0) + count)
  }
  const reasons = [...gaps].map(([reason, count]) => `${count} ${count === 1 ? "test" : "tests"}: ${reason}`)
  return cells([
    server.reported,
    [...results].map(([name, result]) => `${name} ${result.passed}`).join(", "),
    passed,
    String(sum(({ refused }) => refused)),
    reasons.length === 0 ? "none" : reasons.join("; ")
  ])
}

/** Puts rows into the page's table, each in the place of its release. */
export const writeRows = (page: string, rows: ReadonlyArray<Row>, order: ReadonlyArray<string>): void => {
  const text = Fs.readFileSync(page, "utf8")
  const [before, old, after] = split(text, page)
  const byVersion = new Map(
    old.split("\n").flatMap((line) => {
      const version = /^\| *(\d+\.\d+\.\d+)/.exec(line)?.[1]
      return version === undefined ? [] : [[version, line] as const]
    })
  )
  for (const row of rows) byVersion.set(row.version, formatRow(row))
  const lines = order.flatMap((version) => byVersion.get(version) ?? [])
  Fs.writeFileSync(page, `${before}${header}\n${lines.join("\n")}\n${after}`)
}

const begin = "<!-- servers: written by test:servers -->\n\n"
const end = "\n<!-- /servers -->"

const header = `${cells(["version", "tests by suite", "passed", "refused as typed", "gaps and their reasons"])}\n|---|---|---|---|---|`

const split = (text: string, page: string): readonly [string, string, string] => {
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`${page} has no place for the table of servers`)
  return [text.slice(0, from + begin.length), text.slice(from + begin.length, to), text.slice(to)]
}

function cells(texts: ReadonlyArray<string>): string {
  return `| ${texts.map((text) => text.replaceAll("\n", " ").replaceAll("|", "\\|")).join(" | ")} |`
}
