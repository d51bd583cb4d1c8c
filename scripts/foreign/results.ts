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
