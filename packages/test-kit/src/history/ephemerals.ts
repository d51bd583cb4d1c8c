/** Ephemerals live as long as their sessions: those of a living session are there, and in the end no others are. */
import { describe, type Operation } from "./History.ts"
import * as Verdict from "./Verdict.ts"

/**
 * Judges the operations that are marked `ephemeral`. What sessions see of their own is judged always; what is left in the
 * end only where `alive` says which sessions there are: `synced` reads after that may find no other owner.
 */
export const checkEphemerals = (operations: ReadonlyArray<Operation>): Verdict.Verdict => {
  const violations: Array<string> = []
  const alive = operations.filter(({ f }) => f === "alive")
  const sessions = new Set(alive.map(({ session }) => session))
  const ends = alive.reduce((last, { completedAt }) => Math.max(last, completedAt), 0)
  const ephemerals = operations.filter(({ ephemeral }) => ephemeral === true)
  for (const group of Map.groupBy(ephemerals, ({ path }) => path).values()) {
    for (const create of group) {
      if (create.f === "create" && create.outcome === "ok") violations.push(...judgeOwn(create, group))
    }
    for (const read of group) {
      const isLast = alive.length > 0 && read.f === "read" && read.outcome === "ok" && read.invokedAt > ends
      if (isLast && read.synced === true && !sessions.has(read.owner)) {
        violations.push(`its session has ended, and it is there: ${describe(read)}, of ${read.owner}`)
      }
    }
  }
  return Verdict.make({ violations })
}

// ---- internal

/** From its creation to the first attempt to delete it the session that created it finds its own znode. */
const judgeOwn = (create: Operation, group: ReadonlyArray<Operation>): ReadonlyArray<string> => {
  const { completedAt, session } = create
  if (session === undefined) return []
  const deleted = group.find(
    ({ f, invokedAt, outcome }) => f === "delete" && outcome !== "fail" && invokedAt > completedAt
  )
  const until = deleted?.invokedAt ?? Number.POSITIVE_INFINITY
  return group.flatMap((read) => {
    const isOwn = read.f === "read" && read.session === session && read.invokedAt > completedAt
    if (!isOwn || read.completedAt > until) return []
    const isGone = read.outcome === "fail" && read.error === "NoNode"
    const isAnothers = read.outcome === "ok" && read.owner !== session
    return isGone || isAnothers ? [`session ${session} lives, and its znode does not: ${describe(read)}`] : []
  })
}
