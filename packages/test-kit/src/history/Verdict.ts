/** The checker's verdict on a history. */

export interface Verdict {
  /** Results that no correct client and server can have given; empty for a correct history. */
  readonly violations: ReadonlyArray<string>
  /** Questions that could not be decided, with the reason: too many possibilities, or a history of another kind. */
  readonly undecided: ReadonlyArray<string>
  /** Violations that the history itself excuses, such as those of a process that stood still. */
  readonly excused: ReadonlyArray<string>
}

export const make = (parts: Partial<Verdict>): Verdict => ({ violations: [], undecided: [], excused: [], ...parts })

export const join = (verdicts: ReadonlyArray<Verdict>): Verdict => ({
  violations: verdicts.flatMap(({ violations }) => violations),
  undecided: verdicts.flatMap(({ undecided }) => undecided),
  excused: verdicts.flatMap(({ excused }) => excused)
})
