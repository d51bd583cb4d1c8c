/** Runs a callback of an application. An error that it throws is reported, and stops nothing in the session. */
export type GuardCallback = (run: () => void) => void

/** Reports thrown errors with `report`. */
export const makeGuardCallback =
  (report: (defect: unknown) => void): GuardCallback =>
  (run) => {
    try {
      run()
    } catch (defect) {
      report(defect)
    }
  }
