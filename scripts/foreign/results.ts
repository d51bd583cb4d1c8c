/** The results of suites, and the table of them in the server's README. */
import { formatCells, type MarkedTable, replaceRows } from "../servers/markedTable.ts"

/** The result of a suite on one server. */
export interface SuiteResult {
  readonly passed: number
  readonly skipped: number
  /** The names of tests, or the lines of a session that are others than a real server's. */
  readonly failed: ReadonlyArray<string>
}

/** `479 of 487, 4 skipped`. */
export const formatResult = ({ failed, passed, skipped }: SuiteResult): string =>
  `${passed} of ${passed + failed.length + skipped}${skipped === 0 ? "" : `, ${skipped} skipped`}`

/** The tests that fail on the embedded server alone, which need a reason. */
export const onlyHere = (ours: SuiteResult, real: SuiteResult): ReadonlyArray<string> =>
  ours.failed.filter((name) => !real.failed.includes(name))

/** Why tests of suites fail on the embedded server, and not on a real one: what it does not have. */
const reasons: ReadonlyArray<{ readonly suite: string; readonly tests: RegExp; readonly reason: string }> = [
  { suite: "kazoo", tests: /test_sasl\.py/, reason: "it has no SASL" },
  { suite: "kazoo", tests: /TestReconfig/, reason: "its members cannot be reconfigured" }
]

/** The results of a suite on both servers. */
export interface Compared {
  readonly suite: string
  readonly release: string
  readonly ours: SuiteResult
  /** The same tests on a real server; undefined where the suite itself compares the two. */
  readonly real: SuiteResult | undefined
}

/** What differs from a real server, by its reason; under `undefined` what has none. */
export const differences = ({ ours, real, suite }: Compared): ReadonlyMap<string | undefined, ReadonlyArray<string>> =>
  Map.groupBy(
    real === undefined ? ours.failed : onlyHere(ours, real),
    (name) => reasons.find((one) => one.suite === suite && one.tests.test(name))?.reason
  )

/** A row of the table in the server's README. */
export const formatCompared = (compared: Compared): string => {
  const { ours, real, release, suite } = compared
  const differing = [...differences(compared)].map(([reason, names]) =>
    reason === undefined ? `**${names.length} without a reason**` : `${names.length}: ${reason}`
  )
  return formatCells([
    suite,
    release,
    formatResult(ours),
    real === undefined ? "line by line" : formatResult(real),
    differing.length === 0 ? "none" : differing.join("; ")
  ])
}

/** Puts rows into the server's README, each in the place of its suite and release. */
export const writeCompared = (
  page: string,
  rows: ReadonlyArray<Compared>,
  order: ReadonlyArray<readonly [suite: string, release: string]>
): void => replaceRows({ ...table, page }, rows.map(formatCompared), order)

const table: Omit<MarkedTable, "page"> = {
  name: "foreign",
  command: "foreign",
  columns: ["suite", "release", "here", "on a real server", "only here, and why"],
  keys: 2
}
