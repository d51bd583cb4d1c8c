/**
 * No watch is missed: who watches is told of the change, once, and before seeing anything newer; who follows a stream of
 * newest states never goes back and ends at the last one.
 *
 * @since 0.2.0
 */
import type { Operation } from "./History.ts"
import { describe, groupBy } from "./History.ts"
import * as Verdict from "./Verdict.ts"

/**
 * @category options
 * @since 0.2.0
 */
export interface Options {
  /** By how many microseconds an event may be written down after a read that it came before; 0 by default. */
  readonly tolerance?: number | undefined
  /** How many microseconds before the end of the history all that was changed must have been told; 0 by default. */
  readonly quiet?: number | undefined
}

/**
 * Judges one-shot watches of data, and streams of the newest data.
 *
 * @category judging
 * @since 0.2.0
 */
export const checkWatches = (operations: ReadonlyArray<Operation>, options: Options = {}): Verdict.Verdict => {
  const violations: Array<string> = []
  const end =
    operations.reduce((last, o) => Math.max(last, o.invokedAt, finite(o.completedAt)), 0) - (options.quiet ?? 0)
  const parts = groupBy(
    operations.filter(({ of }) => of !== undefined),
    ({ of }) => of ?? ""
  )
  for (const group of groupBy(operations, ({ path }) => path).values()) {
    const states = group.filter((o) => o.outcome === "ok" && o.mzxid !== undefined && o.f !== "observed")
    const newest = states
      .filter(({ completedAt }) => completedAt <= end)
      .reduce((most, { mzxid = -1n }) => (mzxid > most ? mzxid : most), -1n)
    const changes = group.filter(({ f, outcome }) => changing.has(f) && outcome !== "fail")
    for (const operation of group) {
      if (operation.outcome !== "ok") continue
      const own = parts.get(operation.id) ?? []
      if (operation.f === "watch") violations.push(...judgeWatch(operation, own, { states, changes, newest }, options))
      if (operation.f === "observe") violations.push(...judgeStream(operation, own, newest))
    }
  }
  return Verdict.make({ violations })
}

// ---- internal

const changing: ReadonlySet<string> = new Set(["write", "cas", "create", "delete"])

const finite = (at: number): number => (Number.isFinite(at) ? at : 0)

interface Known {
  readonly states: ReadonlyArray<Operation>
  readonly changes: ReadonlyArray<Operation>
  /** The newest transaction that was known well before the end. */
  readonly newest: bigint
}

const judgeWatch = (
  watch: Operation,
  own: ReadonlyArray<Operation>,
  { changes, newest, states }: Known,
  { tolerance = 0 }: Options
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const at = watch.mzxid ?? -1n
  const events = own.filter(({ f }) => f === "event")
  const over = own.find(({ f }) => f === "unwatched")
  const [event] = events
  if (events.length > 1) violations.push(`two events for one watch: ${describe(watch)}`)
  if (event === undefined && over === undefined && newest > at) {
    violations.push(`never told that transaction ${newest} came: ${describe(watch)}`)
  }
  const told = Math.min(event?.invokedAt ?? Number.POSITIVE_INFINITY, over?.invokedAt ?? Number.POSITIVE_INFINITY)
  const early = states.find(
    ({ completedAt, mzxid = -1n, session }) =>
      session !== undefined && session === watch.session && mzxid > at && completedAt + tolerance < told
  )
  if (early !== undefined) violations.push(`${describe(early)} was seen before the event of ${describe(watch)}`)
  const isCaused =
    event === undefined ||
    changes.some(({ invokedAt, mzxid }) => invokedAt <= event.invokedAt && (mzxid === undefined || mzxid > at))
  if (!isCaused) violations.push(`told of a change that nobody made: ${describe(watch)}`)
  return violations
}

const judgeStream = (stream: Operation, own: ReadonlyArray<Operation>, newest: bigint): ReadonlyArray<string> => {
  const violations: Array<string> = []
  let last = -1n
  for (const { f, mzxid } of own) {
    if (f !== "observed" || mzxid === undefined) continue
    if (mzxid <= last) violations.push(`went from transaction ${last} to ${mzxid}: ${describe(stream)}`)
    last = mzxid
  }
  const isOver = own.some(({ f }) => f === "unwatched")
  if (!isOver && last < newest) {
    violations.push(`ended at transaction ${last}, where ${newest} is there: ${describe(stream)}`)
  }
  return violations
}
