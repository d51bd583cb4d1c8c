/**
 * Runs what belongs to somebody else: a caller who waits, a listener. What it throws is a mistake of theirs; it is
 * reported, and stops nothing here.
 */
export type GuardCallback = (run: () => void) => void

/** Reports with `report` what is thrown. */
export const makeGuardCallback =
  (report: (defect: unknown) => void): GuardCallback =>
  (run) => {
    try {
      run()
    } catch (defect) {
      report(defect)
    }
  }
