/** Queues hand out each item once, and lose none but to takers that do not know whether they took it. */
import { describe, type Operation } from "./History.ts"
import { sweep } from "./realTime.ts"
import * as Verdict from "./Verdict.ts"

export interface Options {
  /** Whether an element may be handed out again, as queues do that promise "at least once". Default false. */
  readonly mayRepeat?: boolean | undefined
  /** Whether the items of one producer come out in their order. Default false. */
  readonly isOrdered?: boolean | undefined
}

/**
 * Judges `offer`s and `take`s; at the end of the history the queues must have been emptied. A `take` of an empty queue has
 * no value.
 */
export const checkQueues = (operations: ReadonlyArray<Operation>, options: Options = {}): Verdict.Verdict => {
  const queues = operations.filter(({ f }) => f === "offer" || f === "take")
  return Verdict.join([...Map.groupBy(queues, ({ path }) => path).values()].map((group) => judge(group, options)))
}

// ---- internal

const judge = (group: ReadonlyArray<Operation>, { isOrdered = false, mayRepeat = false }: Options): Verdict.Verdict => {
  const violations: Array<string> = []
  const offers = new Map(group.flatMap((o) => (o.f === "offer" ? [[o.value, o] as const] : [])))
  const taken = new Map<string | undefined, Operation>()
  for (const take of group) {
    if (take.f !== "take" || take.outcome !== "ok" || take.value === undefined) continue
    const offer = offers.get(take.value)
    const other = taken.get(take.value)
    if (offer === undefined || offer.outcome === "fail") violations.push(`taken and never put in: ${describe(take)}`)
    else if (take.completedAt < offer.invokedAt) violations.push(`${describe(take)} came before ${describe(offer)}`)
    if (other !== undefined && !mayRepeat) violations.push(`twice: ${describe(other)}, and ${describe(take)}`)
    if (other === undefined) taken.set(take.value, take)
  }
  const lost = [...offers].filter(([value, { outcome }]) => outcome === "ok" && !taken.has(value))
  const unknown = group.filter(({ f, outcome }) => f === "take" && outcome === "info")
  if (lost.length > unknown.length) {
    const first = lost.slice(0, 3).map(([, offer]) => describe(offer))
    violations.push(`${lost.length} lost, where ${unknown.length} takes have no answer: ${first.join(", ")}`)
  }
  if (isOrdered) violations.push(...judgeOrder(group, taken))
  return Verdict.make({ violations })
}

const judgeOrder = (
  group: ReadonlyArray<Operation>,
  taken: ReadonlyMap<string | undefined, Operation>
): ReadonlyArray<string> => {
  const violations: Array<string> = []
  const offers = group.filter(({ f, outcome, value }) => f === "offer" && outcome === "ok" && taken.has(value))
  for (const own of Map.groupBy(offers, ({ client }) => client).values()) {
    // The latest beginning of a take of all that had been put in before: none that comes after may have ended before it.
    sweep<Operation, number>(own, Number.NEGATIVE_INFINITY, (offer, latest) => {
      const take = taken.get(offer.value)!
      if (take.completedAt < latest) {
        const other = own.map(({ value }) => taken.get(value)!).find(({ invokedAt }) => invokedAt === latest)!
        violations.push(`${describe(take)} overtook ${describe(other)}`)
      }
      return take.invokedAt
    })
  }
  return violations
}
