/**
 * The checker: all rules, applied to one history.
 *
 * It is the same for simulated worlds, for clients of a real ensemble, and for processes in other languages that write the
 * same lines. A rule that has nothing to judge says nothing.
 */
import { checkCounters } from "./counters.ts"
import { checkEphemerals } from "./ephemerals.ts"
import type { Operation } from "./History.ts"
import { checkHolds } from "./holds.ts"
import * as Queues from "./queues.ts"
import { checkVersions } from "./registers.ts"
import * as Search from "./search.ts"
import { checkSessions } from "./sessions.ts"
import * as Verdict from "./Verdict.ts"
import * as Watches from "./watches.ts"

export interface Options {
  readonly watches?: Watches.Options | undefined
  readonly queues?: Queues.Options | undefined
  readonly search?: Search.Options | undefined
}

/** Judges a history by all rules. */
export const check = (operations: ReadonlyArray<Operation>, options: Options = {}): Verdict.Verdict =>
  Verdict.join([
    checkRegisters(operations, options.search),
    checkSessions(operations),
    Watches.checkWatches(operations, options.watches),
    checkEphemerals(operations),
    checkHolds(operations),
    checkCounters(operations),
    Queues.checkQueues(operations, options.queues)
  ])

/**
 * Judges every register: by its versions, or where they do not decide by a search.
 *
 * A `sync` asks the leader alone, which while two may lead need not be the one that others write through (ZOOKEEPER-1675):
 * stale reads in such a time are excused, unless they had a write before them.
 */
export const checkRegisters = (operations: ReadonlyArray<Operation>, options?: Search.Options): Verdict.Verdict => {
  const registers = operations.filter(({ ephemeral, f }) => ephemeral !== true && kinds.has(f))
  const doubts = operations.filter(({ f, path }) => f === "pause" && path === "leader")
  return Verdict.join(
    [...Map.groupBy(registers, ({ path }) => path)].map(([path, group]) => {
      const strict = judge(path, group, options)
      if (strict.violations.length === 0 || doubts.length === 0) return strict
      const lenient = judge(path, withoutDoubtful(group, doubts), options)
      const excused = strict.violations.filter((violation) => !lenient.violations.includes(violation))
      return Verdict.make({ violations: lenient.violations, undecided: lenient.undecided, excused })
    })
  )
}

/** The counts of a history, for people. */
export const summary = (operations: ReadonlyArray<Operation>): string => {
  const of = (outcome: Operation["outcome"]) => operations.filter((o) => o.outcome === outcome).length
  const kinds = [...Map.groupBy(operations, ({ f }) => f)].map(([f, group]) => `${f} ${group.length}`).toSorted()
  const sessions = new Set(
    operations.flatMap(({ session }) => (session === undefined || session === "" ? [] : [session]))
  )
  return `${operations.length} operations (${of("ok")} done, ${of("fail")} refused, ${of("info")} unknown) in ${sessions.size} sessions: ${kinds.join(", ")}`
}

// ---- internal

const judge = (path: string, group: ReadonlyArray<Operation>, options: Search.Options | undefined): Verdict.Verdict => {
  const verdict = checkVersions(path, group)
  return verdict.undecided.length === 0 ? verdict : Search.search(path, group, options)
}

const withoutDoubtful = (group: ReadonlyArray<Operation>, doubts: ReadonlyArray<Operation>): ReadonlyArray<Operation> =>
  group.map((operation) => {
    const { barrier, completedAt, f, invokedAt, synced } = operation
    if (f !== "read" || synced !== true || barrier === true) return operation
    const isDoubtful = doubts.some((doubt) => doubt.invokedAt <= completedAt && invokedAt <= doubt.completedAt)
    return isDoubtful ? Object.assign({}, operation, { synced: false }) : operation
  })

const kinds: ReadonlySet<string> = new Set(["read", "write", "cas", "create", "delete"])
