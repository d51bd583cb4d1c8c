/** A session never goes back in time: of each znode it sees what it has seen and written, or something newer. */
import { describe, type Operation } from "./History.ts"
import { sweep } from "./realTime.ts"
import * as Verdict from "./Verdict.ts"

/** Judges the order within each session, for all reads, `synced` or not. */
export const checkSessions = (operations: ReadonlyArray<Operation>): Verdict.Verdict => {
  const violations: Array<string> = []
  const known = operations.filter(
    // The state that a stream has given may have been read a while before.
    (o) => o.outcome === "ok" && o.f !== "observed" && o.mzxid !== undefined && o.session !== undefined
  )
  for (const group of Map.groupBy(known, ({ path, session }) => `${session} ${path}`).values()) {
    sweep<Operation, bigint>(group, -1n, (operation, floor) => {
      const mzxid = operation.mzxid ?? -1n
      const isNewer = operation.f === "write" ? mzxid > floor : mzxid >= floor
      if (!isNewer)
        violations.push(`session ${operation.session} knew transaction ${floor} before ${describe(operation)}`)
      return mzxid
    })
  }
  return Verdict.make({ violations })
}
