/**
 * Histories from a seed: tiny ones that are right or wrong, and long ones of a register that is right.
 */
import { fractions } from "../../src/fuzz/Mutation.ts"
import type { Operation } from "../../src/history/History.ts"

type Next = () => number

const base = { client: "c", session: undefined, path: "/r" } as const

/**
 * Some operations on one znode, answered by a register that lies now and then, so that some of the histories are right.
 */
export const tiny = (
  next: Next,
  { deletes, versions }: { readonly versions: boolean; readonly deletes: boolean }
): ReadonlyArray<Operation> => {
  const int = (below: number) => Math.floor(next() * below)
  const operations: Array<Operation> = []
  let state: { readonly value: string; readonly version: number } | undefined
  const older: Array<typeof state> = [undefined]
  const count = 2 + int(5)
  let at = 0
  if (!deletes || next() < 0.8) {
    state = { value: "v", version: 0 }
    operations.push({
      ...base,
      id: "first",
      f: "create",
      value: "v",
      ...(versions ? { version: 0 } : {}),
      outcome: "ok",
      invokedAt: -20,
      completedAt: deletes ? 1 : -10
    })
  }
  for (let i = 0; i < count; i++) {
    const lie = next() < 0.3
    const seen = lie ? older[int(older.length)] : state
    const kinds = [
      "read",
      "read",
      "write",
      "write",
      ...(versions ? ["conditional"] : ["cas"]),
      ...(deletes ? ["create", "delete"] : [])
    ]
    const kind = kinds[int(kinds.length)] ?? "read"
    // Each takes effect at its turn, and lasts from some time before it to some time after it.
    const invokedAt = at - int(4)
    const completedAt = at + int(4)
    at += 2
    const span = { ...base, id: `o${i}`, invokedAt, completedAt }
    const value = `v${i}`
    const isUnknown = kind !== "read" && next() < 0.2
    const unknown = { outcome: "info", completedAt: Number.POSITIVE_INFINITY } as const
    const isApplied = !isUnknown || next() < 0.5
    const result = (ok: boolean, error: string, version: number | undefined) =>
      isUnknown
        ? unknown
        : ok
          ? ({ outcome: "ok", ...(versions && version !== undefined ? { version } : {}) } as const)
          : ({ outcome: "fail", error } as const)
    older.push(state)
    if (kind === "read") {
      operations.push({
        ...span,
        f: "read",
        synced: true,
        ...(seen === undefined ? {} : { value: seen.value }),
        ...result(seen !== undefined, "NoNode", seen?.version)
      })
    } else if (kind === "write") {
      operations.push({ ...span, f: "write", value, ...result(seen !== undefined, "NoNode", (seen?.version ?? 0) + 1) })
      if (state !== undefined && isApplied) state = { value, version: state.version + 1 }
    } else if (kind === "conditional") {
      const expected = next() < 0.7 ? (seen?.version ?? 0) : int(3)
      const isRight = seen !== undefined && seen.version === expected
      const error = seen === undefined ? "NoNode" : "BadVersion"
      operations.push({ ...span, f: "write", value, expected, ...result(isRight, error, expected + 1) })
      if (state !== undefined && state.version === expected && isApplied) state = { value, version: expected + 1 }
    } else if (kind === "cas") {
      const expects = next() < 0.7 ? (seen?.value ?? "v") : `v${int(3)}`
      const isRight = seen !== undefined && seen.value === expects
      const error = seen === undefined ? "NoNode" : "BadVersion"
      operations.push({ ...span, f: "cas", value, expects, ...result(isRight, error, undefined) })
      if (state !== undefined && state.value === expects && isApplied) state = { value, version: state.version + 1 }
    } else if (kind === "create") {
      operations.push({ ...span, f: "create", value, ...result(seen === undefined, "NodeExists", 0) })
      if (state === undefined && isApplied) state = { value, version: 0 }
    } else {
      operations.push({ ...span, f: "delete", ...result(seen !== undefined, "NoNode", undefined) })
      if (isApplied) state = undefined
    }
  }
  return operations.toSorted((a, b) => a.invokedAt - b.invokedAt)
}

/** What clients of a register see that is right: each operation takes effect at one moment between question and answer. */
export const generated = (
  seed: number,
  {
    clients,
    operations: total,
    unknown
  }: { readonly operations: number; readonly clients: number; readonly unknown: number }
): ReadonlyArray<Operation> => {
  const next = fractions(seed)
  const operations: Array<Operation> = [
    {
      ...base,
      id: "first",
      f: "create",
      value: "v",
      version: 0,
      mzxid: 1n,
      outcome: "ok",
      invokedAt: -2,
      completedAt: -1
    }
  ]
  interface Pending {
    readonly client: number
    readonly kind: "read" | "write" | "conditional"
    readonly invokedAt: number
    readonly effectAt: number
    readonly completedAt: number
    readonly expected: number
    readonly isUnknown: boolean
  }
  // Each client asks one thing after the other; all effects then take place in the order of their moments.
  const pending: Array<Pending> = []
  for (let client = 0; client < clients; client++) {
    let at = next() * 10
    for (let i = 0; i < total / clients; i++) {
      const kind = (["read", "read", "write", "conditional"] as const)[Math.floor(next() * 4)] ?? "read"
      const isUnknown = kind !== "read" && next() < unknown
      const invokedAt = at + next()
      const effectAt = invokedAt + next() * 10 + (isUnknown ? next() * 100 : 0)
      const completedAt = Math.max(effectAt, invokedAt) + next() * 10
      at = isUnknown ? invokedAt + 10 : completedAt
      pending.push({ client, kind, invokedAt, effectAt, completedAt, expected: next(), isUnknown })
    }
  }
  let state = { value: "v", version: 0 }
  let zxid = 1n
  for (const [index, { client, completedAt, expected, invokedAt, isUnknown, kind }] of pending
    .toSorted((a, b) => a.effectAt - b.effectAt)
    .entries()) {
    const own = { ...base, client: `c${client}`, session: `c${client}`, id: `o${index}`, invokedAt }
    const answer = isUnknown
      ? ({ outcome: "info", completedAt: Number.POSITIVE_INFINITY } as const)
      : ({ outcome: "ok", completedAt } as const)
    const value = `v${index}`
    if (kind === "read") {
      operations.push({ ...own, ...answer, f: "read", synced: true, ...state, mzxid: zxid })
      continue
    }
    const version = expected < 0.6 ? state.version : state.version - 1
    if (kind === "conditional" && version !== state.version) {
      const refusal = isUnknown ? answer : ({ outcome: "fail", error: "BadVersion", completedAt } as const)
      operations.push({ ...own, ...refusal, f: "write", value, expected: version })
      continue
    }
    const isApplied = !isUnknown || next() < 0.5
    if (isApplied) {
      state = { value, version: state.version + 1 }
      zxid++
    }
    operations.push({
      ...own,
      ...answer,
      f: "write",
      value,
      ...(kind === "conditional" ? { expected: version } : {}),
      ...(isUnknown ? {} : { version: state.version, mzxid: zxid })
    })
  }
  return operations.toSorted((a, b) => a.invokedAt - b.invokedAt)
}
