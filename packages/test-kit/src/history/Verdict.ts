/** The checker's verdict on a history. */

export interface Verdict {
  /** What no correct client and server can have shown; empty for a history that is fine. */
  readonly violations: ReadonlyArray<string>
  /** What could not be decided, with the reason: too many possibilities, or a history that is not of the kind. */
  readonly undecided: ReadonlyArray<string>
  /** What would be a violation but for something that the history shows as well, such as a process that stood still. */
  readonly excused: ReadonlyArray<string>
}

export const make = (parts: Partial<Verdict>): Verdict => ({ violations: [], undecided: [], excused: [], ...parts })

export const join = (verdicts: ReadonlyArray<Verdict>): Verdict => ({
  violations: verdicts.flatMap(({ violations }) => violations),
  undecided: verdicts.flatMap(({ undecided }) => undecided),
  excused: verdicts.flatMap(({ excused }) => excused)
})
