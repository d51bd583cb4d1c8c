/**
 * Whether there is an order of the operations on one znode that explains every answer: a search, for histories with
 * creations, deletions and compare-and-set, with or without versions.
 *
 * After Wing and Gong, with the sets of configurations of Lowe: time goes from event to event, and with each answer
 * only those orders are kept in which the operation has happened by then. Operations that only look (reads, refusals)
 * happen as soon as they can, since that rules nothing out. Writes whose outcome is unknown and that no read saw are
 * alike, and counted.
 */
import { describe, type Operation } from "./History.ts"
import * as Verdict from "./Verdict.ts"

export interface Options {
  /** How many configurations to look at, at most; 200,000 by default. Beyond it the answer is "undecided". */
  readonly budget?: number | undefined
  /** Whether the znode is there before the first operation, with which value; not there by default. */
  readonly initial?: { readonly value: string; readonly version: number } | undefined
}

/**
 * Judges all operations on one znode. Reads that are not `synced` are left out, for they may show an older state.
 */
export const search = (path: string, operations: ReadonlyArray<Operation>, options: Options = {}): Verdict.Verdict => {
  const steps = operations.flatMap(toStep)
  const run = new Search(steps, options)
  const found = run.run()
  if (found === undefined) return Verdict.make({})
  if (found === "too much") {
    return Verdict.make({
      undecided: [`${path}: more than ${run.budget} configurations of ${steps.length} operations`]
    })
  }
  return Verdict.make({ violations: [`${path}: no order of the operations explains ${describe(found)}`] })
}

// ---- internal

/** The znode: `undefined` where it is not there. */
type State = { readonly value: string; readonly version: number } | undefined

interface Step {
  readonly operation: Operation
  /** Whether it only looks. */
  readonly looks: boolean
  /** The state after it; `refused` where it cannot happen, or not with this answer. */
  readonly apply: (state: State) => State | typeof refused
}

const refused = Symbol("refused")

const toStep = (operation: Operation): ReadonlyArray<Step> => {
  const { error, expected, expects, f, outcome, synced, value = "", version } = operation
  const look = (matches: (state: State) => boolean): ReadonlyArray<Step> => [
    { operation, looks: true, apply: (state) => (matches(state) ? state : refused) }
  ]
  const change = (apply: Step["apply"]): ReadonlyArray<Step> => [{ operation, looks: false, apply }]
  const isVersion = (actual: number) => version === undefined || actual === version
  if (outcome === "fail") {
    if (f === "read" && synced !== true) return []
    if (error === "NoNode") return look((state) => state === undefined)
    if (error === "NodeExists") return look((state) => state !== undefined)
    if (error === "BadVersion") {
      return look(
        (state) => state !== undefined && (f === "cas" ? state.value !== expects : state.version !== expected)
      )
    }
    return []
  }
  switch (f) {
    case "read":
      if (outcome === "info" || synced !== true) return []
      return look((state) => state !== undefined && state.value === value && isVersion(state.version))
    case "create":
      return change((state) => (state === undefined ? { value, version: 0 } : refused))
    case "delete":
      return change((state) =>
        state === undefined || (expected !== undefined && expected !== state.version) ? refused : undefined
      )
    case "write":
    case "cas":
      return change((state) => {
        if (state === undefined || !isVersion(state.version + 1)) return refused
        if (expected !== undefined && expected !== state.version) return refused
        return f === "cas" && expects !== state.value ? refused : { value, version: state.version + 1 }
      })
    default:
      return []
  }
}

/** One possible course of events until now. */
interface Configuration {
  readonly state: State
  /** Operations that have happened though they are not answered yet. */
  readonly done: ReadonlySet<Step>
  /** How many of each class of unseen writes have happened. */
  readonly used: ReadonlyMap<string, number>
}

class Search {
  readonly budget: number
  private readonly steps: ReadonlyArray<Step>
  private readonly numbers: ReadonlyMap<Step, number>
  private readonly classes: ReadonlyMap<Step, string>
  /** Versions are a part of the state only where somebody saw one. */
  private readonly hasVersions: boolean
  private readonly initial: State
  private looked = 0
  /** Operations that have begun and are not answered. */
  private readonly open = new Set<Step>()
  private readonly openLooks = new Set<Step>()
  private readonly available = new Map<string, { readonly step: Step; count: number }>()

  constructor(steps: ReadonlyArray<Step>, { budget = 200_000, initial }: Options) {
    this.steps = steps
    this.budget = budget
    this.initial = initial
    this.numbers = new Map(steps.map((step, index) => [step, index]))
    this.hasVersions = steps.some(
      ({ operation }) => operation.version !== undefined || operation.expected !== undefined
    )
    this.classes = classesOf(steps)
  }

  /** The operation that nothing explains; `undefined` if all are explained. */
  run(): Operation | "too much" | undefined {
    const events = this.steps.flatMap((step) => [
      { at: step.operation.invokedAt, step, isAnswer: false },
      ...(step.operation.outcome === "info" ? [] : [{ at: step.operation.completedAt, step, isAnswer: true }])
    ])
    // Where an answer and a question fall together they overlap.
    events.sort((a, b) => a.at - b.at || Number(a.isAnswer) - Number(b.isAnswer))
    let configurations: ReadonlyArray<Configuration> = [{ state: this.initial, done: new Set(), used: new Map() }]
    for (const { isAnswer, step } of events) {
      if (!isAnswer) {
        this.ask(step)
        if (step.looks) configurations = configurations.map((configuration) => this.look(configuration))
        continue
      }
      const next = new Map<string, Configuration>()
      const visited = new Set<string>()
      for (const configuration of configurations) {
        if (!this.explore(configuration, step, next, visited)) return "too much"
      }
      this.open.delete(step)
      this.openLooks.delete(step)
      if (next.size === 0) return step.operation
      configurations = [...next.values()]
    }
    return undefined
  }

  private ask(step: Step): void {
    const name = this.classes.get(step)
    if (step.looks) this.openLooks.add(step)
    else if (name === undefined) this.open.add(step)
    else {
      const known = this.available.get(name)
      if (known === undefined) this.available.set(name, { step, count: 1 })
      else known.count++
    }
  }

  /** All that can have happened until the step has; false when there is too much of it. */
  private explore(from: Configuration, step: Step, found: Map<string, Configuration>, visited: Set<string>): boolean {
    const stack = [from]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.done.has(step)) {
        const done = new Set(next.done)
        done.delete(step)
        const kept = { ...next, done }
        found.set(this.keyOf(kept), kept)
        continue
      }
      const key = this.keyOf(next)
      if (visited.has(key)) continue
      visited.add(key)
      if (++this.looked > this.budget) return false
      for (const open of this.open) {
        if (next.done.has(open)) continue
        const state = open.apply(next.state)
        if (state === refused) continue
        stack.push(this.look({ ...next, state, done: new Set(next.done).add(open) }))
      }
      for (const [name, { count, step: example }] of this.available) {
        const used = next.used.get(name) ?? 0
        const state = used < count ? example.apply(next.state) : refused
        if (state === refused) continue
        stack.push(this.look({ ...next, state, used: new Map(next.used).set(name, used + 1) }))
      }
    }
    return true
  }

  /** Whatever can look now does. */
  private look(configuration: Configuration): Configuration {
    let done: Set<Step> | undefined
    for (const step of this.openLooks) {
      if (configuration.done.has(step) || step.apply(configuration.state) === refused) continue
      done ??= new Set(configuration.done)
      done.add(step)
    }
    return done === undefined ? configuration : { ...configuration, done }
  }

  private keyOf({ done, state, used }: Configuration): string {
    const numbers = [...done].map((step) => this.numbers.get(step) ?? -1).toSorted((a, b) => a - b)
    const counts = [...used].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name}:${count}`)
    const version = this.hasVersions ? `${state?.version ?? ""} ` : ""
    return JSON.stringify([state === undefined ? null : version + state.value, numbers, counts])
  }
}

/**
 * The classes of writes whose outcome is unknown and whose value no read saw: within one, any may be taken for any
 * other.
 */
const classesOf = (steps: ReadonlyArray<Step>): ReadonlyMap<Step, string> => {
  const seen = new Set(
    steps.flatMap(({ looks, operation: { expects, value } }) => [
      ...(looks && value !== undefined ? [value] : []),
      ...(expects === undefined ? [] : [expects])
    ])
  )
  return new Map(
    steps.flatMap((step): ReadonlyArray<readonly [Step, string]> => {
      const { expected, expects, f, outcome, value } = step.operation
      if (step.looks || outcome !== "info" || (value !== undefined && f !== "delete" && seen.has(value))) return []
      return [[step, `${f} ${expected ?? ""} ${expects ?? ""}`]]
    })
  )
}
