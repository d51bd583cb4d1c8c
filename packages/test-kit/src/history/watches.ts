/**
 * No watch is missed: a watch reports the change once, and before its client sees anything newer; a stream of
 * newest states never goes back and ends at the last one.
 */
import { describe, type Operation } from "./History.ts"
import * as Verdict from "./Verdict.ts"

export interface Options {
  /**
   * By how many microseconds an event may be written down after a read that it came before, besides those in which the
   * client stood still; 0 by default.
   */
  readonly tolerance?: number | undefined
  /** How many microseconds before the end of the history all that was changed must have been told; 0 by default. */
  readonly quiet?: number | undefined
}

/** Judges one-shot watches of data, and streams of the newest data. */
export const checkWatches = (operations: ReadonlyArray<Operation>, options: Options = {}): Verdict.Verdict => {
  const violations: Array<string> = []
  const end =
    operations.reduce((last, o) => Math.max(last, o.invokedAt, finite(o.completedAt)), 0) - (options.quiet ?? 0)
  const pauses = Map.groupBy(
    operations.filter(({ f }) => f === "pause"),
    ({ client }) => client
  )
  const parts = Map.groupBy(
    operations.filter(({ of }) => of !== undefined),
    ({ of }) => of ?? ""
  )
  for (const group of Map.groupBy(operations, ({ path }) => path).values()) {
    const states = group.filter((o) => o.outcome === "ok" && o.mzxid !== undefined && o.f !== "observed")
    const newest = states
      .filter(({ completedAt }) => completedAt <= end)
      .reduce((most, { mzxid = -1n }) => (mzxid > most ? mzxid : most), -1n)
    const changes = causesOf(group)
    const seen = new Map(
      [...Map.groupBy(states, ({ session }) => session)].map(([session, own]) => [session, seenBy(own)])
    )
    for (const operation of group) {
      if (operation.outcome !== "ok") continue
      const own = parts.get(operation.id) ?? []
      if (operation.f === "watch")
        violations.push(...judgeWatch(operation, own, { seen, changes, newest, pauses }, options))
      if (operation.f === "observe") violations.push(...judgeStream(operation, own, newest))
    }
  }
  return Verdict.make({ violations })
}

// ---- internal

const changing: ReadonlySet<string> = new Set(["write", "cas", "create", "delete"])

const finite = (at: number): number => (Number.isFinite(at) ? at : 0)

interface Known {
  /** What each session has seen. */
  readonly seen: ReadonlyMap<string | undefined, ReadonlyArray<Seen>>
  readonly changes: ReadonlyArray<Cause>
  /** When each client stood still. */
  readonly pauses: ReadonlyMap<string, ReadonlyArray<Operation>>
  /** The newest transaction that was known well before the end. */
  readonly newest: bigint
}

/** The first answer with this transaction or a later one. */
interface Seen {
  readonly mzxid: bigint
  readonly first: Operation
}

/** In the order of transactions. */
const seenBy = (states: ReadonlyArray<Operation>): ReadonlyArray<Seen> => {
  const seen = states.map((state) => ({ mzxid: state.mzxid ?? -1n, first: state }))
  seen.sort((a, b) => (a.mzxid < b.mzxid ? -1 : a.mzxid > b.mzxid ? 1 : 0))
  for (let n = seen.length - 2; n >= 0; n--) {
    const later = seen[n + 1]!.first
    if (later.completedAt < seen[n]!.first.completedAt) seen[n]!.first = later
  }
  return seen
}

/** The latest transaction that can have been made of what was asked until then. */
interface Cause {
  readonly at: number
  readonly latest: bigint
}

/** In the order of time. A write that is unknown, or gave no transaction, can be any. */
const causesOf = (group: ReadonlyArray<Operation>): ReadonlyArray<Cause> => {
  let latest = -1n
  return group
    .filter(({ f, outcome }) => changing.has(f) && outcome !== "fail")
    .toSorted((a, b) => a.invokedAt - b.invokedAt)
    .map(({ invokedAt, mzxid = ANY }) => {
      if (mzxid > latest) latest = mzxid
      return { at: invokedAt, latest }
    })
}

/** Later than all that there are. */
const ANY = 1n << 64n

/** The number of the first of which something holds, that holds of all after it. */
const firstOf = <A>(all: ReadonlyArray<A>, holds: (each: A) => boolean): number => {
  let from = 0
  let to = all.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (holds(all[middle]!)) to = middle
    else from = middle + 1
  }
  return from
}

const judgeWatch = (
  watch: Operation,
  parts: ReadonlyArray<Operation>,
  { changes, newest, pauses, seen }: Known,
  { tolerance = 0 }: Options
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const at = watch.mzxid ?? -1n
  const events = parts.filter(({ f }) => f === "event")
  const over = parts.find(({ f }) => f === "unwatched")
  const [event] = events
  if (events.length > 1) violations.push(`two events for one watch: ${describe(watch)}`)
  if (event === undefined && over === undefined && newest > at) {
    violations.push(`never told that transaction ${newest} came: ${describe(watch)}`)
  }
  const told = Math.min(event?.invokedAt ?? Number.POSITIVE_INFINITY, over?.invokedAt ?? Number.POSITIVE_INFINITY)
  const own = seen.get(watch.session) ?? []
  const early = watch.session === undefined ? undefined : own[firstOf(own, ({ mzxid }) => mzxid > at)]?.first
  const stood = early === undefined ? 0 : standstill(pauses.get(watch.client) ?? [], early.completedAt, told)
  if (early !== undefined && early.completedAt + tolerance + stood < told) {
    violations.push(`${describe(early)} was seen before the event of ${describe(watch)}`)
  }
  const cause = event === undefined ? undefined : changes[firstOf(changes, (each) => each.at > event.invokedAt) - 1]
  const isCaused = event === undefined || (cause !== undefined && cause.latest > at)
  if (!isCaused) violations.push(`told of a change that was not made: ${describe(watch)}`)
  return violations
}

/** How many microseconds of a span are in the pauses. */
const standstill = (pauses: ReadonlyArray<Operation>, from: number, to: number): number =>
  pauses.reduce((sum, pause) => sum + Math.max(0, Math.min(pause.completedAt, to) - Math.max(pause.invokedAt, from)), 0)

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
