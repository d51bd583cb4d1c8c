/**
 * The checker: every rule there is, over one history.
 *
 * It is the same for simulated worlds, for clients of a real ensemble, and for processes in other languages that write the
 * same lines. A rule that has nothing to judge says nothing.
 *
 * @since 0.2.0
 */
import { checkCounters } from "./counters.ts"
import { checkEphemerals } from "./ephemerals.ts"
import type { Operation } from "./History.ts"
import { groupBy } from "./History.ts"
import { checkHolds } from "./holds.ts"
import * as Queues from "./queues.ts"
import { checkVersions } from "./registers.ts"
import * as Search from "./search.ts"
import { checkSessions } from "./sessions.ts"
import * as Verdict from "./Verdict.ts"
import * as Watches from "./watches.ts"

/**
 * @category options
 * @since 0.2.0
 */
export interface Options {
  readonly watches?: Watches.Options | undefined
  readonly queues?: Queues.Options | undefined
  readonly search?: Search.Options | undefined
}

/**
 * Judges a history by all rules.
 *
 * @category judging
 * @since 0.2.0
 */
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
 * @category judging
 * @since 0.2.0
 */
export const checkRegisters = (operations: ReadonlyArray<Operation>, options?: Search.Options): Verdict.Verdict => {
  const registers = operations.filter(({ ephemeral, f }) => ephemeral !== true && kinds.has(f))
  return Verdict.join(
    [...groupBy(registers, ({ path }) => path)].map(([path, group]) => {
      const verdict = checkVersions(path, group)
      return verdict.undecided.length === 0 ? verdict : Search.search(path, group, options)
    })
  )
}

/**
 * What a history consists of, for people.
 *
 * @category getters
 * @since 0.2.0
 */
export const summary = (operations: ReadonlyArray<Operation>): string => {
  const of = (outcome: Operation["outcome"]) => operations.filter((o) => o.outcome === outcome).length
  const kinds = [...groupBy(operations, ({ f }) => f)].map(([f, group]) => `${f} ${group.length}`).toSorted()
  return `${operations.length} operations (${of("ok")} done, ${of("fail")} refused, ${of("info")} unknown): ${kinds.join(", ")}`
}

// ---- internal

/** A read with a watch is a read that may lag behind. */
const kinds: ReadonlySet<string> = new Set(["read", "write", "cas", "create", "delete"])
