/** Counters count: every increment gives a value of its own, later ones greater ones, and none is lost. */
import { describe, type Operation } from "./History.ts"
import { sweep } from "./realTime.ts"
import * as Verdict from "./Verdict.ts"

/**
 * Judges increments by positive amounts, which answer with the value after them, and `total`s. A total lies between the
 * sum of what was done before it was asked, and that plus all that was asked before it was answered.
 */
export const checkCounters = (operations: ReadonlyArray<Operation>): Verdict.Verdict => {
  const violations: Array<string> = []
  const counters = operations.filter(({ f }) => f === "increment" || f === "total")
  for (const group of Map.groupBy(counters, ({ path }) => path).values()) {
    const values = new Set<number>()
    const increments = group.filter(({ f }) => f === "increment")
    const done = group.filter(({ count, outcome }) => outcome === "ok" && count !== undefined)
    sweep<Operation, number>(done, 0, (operation, floor) => {
      const { count = 0, f } = operation
      const isNew = f === "total" ? count >= floor : count > floor && !values.has(count)
      if (!isNew) violations.push(`${count} after ${floor}: ${describe(operation)}`)
      if (f === "increment") values.add(count)
      return count
    })
    for (const total of done.filter(({ f }) => f === "total")) {
      const least = sum(increments.filter((o) => o.outcome === "ok" && o.completedAt < total.invokedAt))
      const most = sum(increments.filter((o) => o.outcome !== "fail" && o.invokedAt <= total.completedAt))
      const { count = 0 } = total
      if (count < least || count > most)
        violations.push(`${count}, where ${least} to ${most} are possible: ${describe(total)}`)
    }
  }
  return Verdict.make({ violations })
}

// ---- internal

const sum = (increments: ReadonlyArray<Operation>): number => increments.reduce((amount, { by = 1 }) => amount + by, 0)
