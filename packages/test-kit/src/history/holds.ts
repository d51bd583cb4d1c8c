/**
 * Locks and leaderships are exclusive, and their fencing tokens grow.
 *
 * A hold lasts from the return of `acquire` until `release` is asked, the holder is told that it is `lost`, or its process
 * has a `crash`, whatever comes first. Only holders whose process stood still may be overtaken, for they cannot be told;
 * they may even have been granted it before, and say so only when they wake.
 */
import { describe, type Operation } from "./History.ts"
import { sweep } from "./realTime.ts"
import * as Verdict from "./Verdict.ts"

/** A time in which a client held something. Microseconds; `to` is Infinity where it did not end. */
export interface Hold {
  readonly acquire: Operation
  readonly from: number
  readonly to: number
}

/** All holds, in the order in which they began. */
export const holdsOf = (operations: ReadonlyArray<Operation>): ReadonlyArray<Hold> => {
  const ends = Map.groupBy(
    operations.filter(({ f }) => f === "release" || f === "lost"),
    ({ of }) => of
  )
  const crashes = Map.groupBy(
    operations.filter(({ f }) => f === "crash"),
    ({ client }) => client
  )
  return operations
    .filter(({ f, outcome }) => f === "acquire" && outcome === "ok")
    .map((acquire) => {
      const from = acquire.completedAt
      const after = (crashes.get(acquire.client) ?? []).filter(({ invokedAt }) => invokedAt >= from)
      const to = [...(ends.get(acquire.id) ?? []), ...after].map(({ invokedAt }) => invokedAt)
      return { acquire, from, to: Math.min(Number.POSITIVE_INFINITY, ...to) }
    })
    .toSorted((a, b) => a.from - b.from)
}

/** Judges the holds of each path, and the writes to fenced resources. */
export const checkHolds = (operations: ReadonlyArray<Operation>): Verdict.Verdict => {
  const pauses = operations.filter(({ f }) => f === "pause")
  const verdicts: Array<Verdict.Verdict> = []
  for (const holds of Map.groupBy(holdsOf(operations), ({ acquire }) => acquire.path).values()) {
    verdicts.push(judgeOverlaps(holds, pauses), judgeTokens(holds, pauses))
  }
  const fenced = operations.filter(({ f }) => f === "fenced")
  for (const writes of Map.groupBy(fenced, ({ path }) => path).values()) verdicts.push(judgeResource(writes))
  return Verdict.join(verdicts)
}

// ---- internal

const judgeOverlaps = (holds: ReadonlyArray<Hold>, pauses: ReadonlyArray<Operation>): Verdict.Verdict => {
  const violations: Array<string> = []
  const excused: Array<string> = []
  let active: Array<Hold> = []
  for (const hold of holds) {
    active = active.filter(({ to }) => to > hold.from)
    const { limit = 1, shared = false } = hold.acquire
    const others = shared ? active.filter(({ acquire }) => acquire.shared !== true) : active
    if (others.length >= (shared ? 1 : limit)) {
      const other = others[0]!
      const until = Math.min(other.to, hold.to)
      const what = `two held it for ${((until - hold.from) / 1000).toFixed(2)} ms: ${describe(other.acquire)}, and ${describe(hold.acquire)}`
      // A holder that stood still could not notice.
      const isExcused =
        others.some((each) => stoodStill(pauses, each)) ||
        (isOlder(hold, other) && stoodStill(pauses, { ...hold, to: hold.from }))
      ;(isExcused ? excused : violations).push(what)
    }
    active.push(hold)
  }
  return Verdict.make({ violations, excused })
}

/** Whether the holder's process stood still within the hold. */
const stoodStill = (pauses: ReadonlyArray<Operation>, { acquire, from, to }: Hold): boolean =>
  pauses.some((pause) => pause.client === acquire.client && pause.invokedAt < to && pause.completedAt > from)

/** Whether a hold was granted before another, whenever its holder said so. */
const isOlder = ({ acquire: a }: Hold, { acquire: b }: Hold): boolean =>
  a.token !== undefined && b.token !== undefined && a.token < b.token

/** Tokens are unique, and exclusive holds have greater ones than all before them. */
const judgeTokens = (holds: ReadonlyArray<Hold>, pauses: ReadonlyArray<Operation>): Verdict.Verdict => {
  const violations: Array<string> = []
  const tokens = new Set<bigint>()
  let newest = -1n
  for (const hold of holds) {
    const { acquire, from } = hold
    const { limit = 1, shared = false, token } = acquire
    if (token === undefined) continue
    const isInOrder = shared || limit > 1 || token > newest || stoodStill(pauses, { ...hold, to: from })
    if (tokens.has(token) || !isInOrder) violations.push(`token ${token} came after ${newest}: ${describe(acquire)}`)
    tokens.add(token)
    if (token > newest) newest = token
  }
  return Verdict.make({ violations })
}

/** A resource that has accepted a token accepts no lower one. */
const judgeResource = (writes: ReadonlyArray<Operation>): Verdict.Verdict => {
  const violations: Array<string> = []
  const accepted = writes.filter(({ outcome, token }) => outcome === "ok" && token !== undefined)
  sweep<Operation, bigint>(accepted, -1n, (write, floor) => {
    const token = write.token ?? -1n
    if (token < floor) violations.push(`accepted token ${token} after ${floor}: ${describe(write)}`)
    return token
  })
  return Verdict.make({ violations })
}
