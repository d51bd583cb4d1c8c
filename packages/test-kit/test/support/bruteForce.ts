/**
 * Whether a tiny history of one znode is linearizable, by trying every order: slow, and too simple to be wrong.
 */
import type { Operation } from "../../src/history/History.ts"

type State = { readonly value: string; readonly version: number } | undefined

const refused = Symbol("refused")

export const isLinearizable = (history: ReadonlyArray<Operation>): boolean =>
  any(
    history.filter(({ error, f, outcome, synced }) =>
      f === "read"
        ? synced === true && outcome !== "info"
        : outcome !== "fail" || error === "NoNode" || error === "NodeExists" || error === "BadVersion"
    ),
    undefined
  )

const any = (left: ReadonlyArray<Operation>, state: State): boolean => {
  // An operation without an answer need not have happened.
  if (left.every(({ outcome }) => outcome === "info")) return true
  return left.some((operation) => {
    // No operation comes before one that was answered when it began.
    if (left.some((other) => other.completedAt < operation.invokedAt)) return false
    const next = apply(operation, state)
    return (
      next !== refused &&
      any(
        left.filter((other) => other !== operation),
        next
      )
    )
  })
}

const apply = ({ error, expected, expects, f, outcome, value = "", version }: Operation, state: State) => {
  const isThere = state !== undefined
  const isExpected =
    state !== undefined &&
    (expected === undefined || state.version === expected) &&
    (expects === undefined || state.value === expects)
  if (outcome === "fail") {
    if (error === "NoNode") return isThere ? refused : state
    if (error === "NodeExists") return isThere ? state : refused
    return isThere && !isExpected ? state : refused
  }
  if (f === "create") return isThere ? refused : { value, version: 0 }
  if (!isThere) return refused
  if (f === "read") {
    return state.value === value && (version === undefined || version === state.version) ? state : refused
  }
  if (f === "delete") return isExpected ? undefined : refused
  if (!isExpected || (version !== undefined && version !== state.version + 1)) return refused
  return { value, version: state.version + 1 }
}
