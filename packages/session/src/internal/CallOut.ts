/**
 * Runs what belongs to somebody else: a caller who waits, a listener. What it throws is a mistake of theirs; it is
 * reported, and stops nothing here.
 */
export type CallOut = (run: () => void) => void

/** Reports with `report` what is thrown. */
export const makeCallOut =
  (report: (defect: unknown) => void): CallOut =>
  (run) => {
    try {
      run()
    } catch (defect) {
      report(defect)
    }
  }
