/**
 * Registers whose versions are known are linearizable: the versions give the order, and only real time is left to judge.
 *
 * Every version has one writer and one value, no version is without an explanation (a write whose outcome is unknown may
 * be one), and nothing is seen that is older than what was known before it was asked. Nearly linear in the length of the
 * history.
 */
import { describe, type Operation } from "./History.ts"
import { sweep } from "./realTime.ts"
import * as Verdict from "./Verdict.ts"

/**
 * Judges the reads and writes of one znode that was created once and never deleted. Other histories are undecided; they
 * are for `search`.
 *
 * Reads that are not `synced` may lag behind: they must show what was there at some time, but not the newest.
 */
export const checkVersions = (path: string, operations: ReadonlyArray<Operation>): Verdict.Verdict => {
  const reason = unsuitable(operations)
  if (reason !== undefined) return Verdict.make({ undecided: [`${path}: ${reason}`] })
  return new Register(path, operations).judge()
}

// ---- internal

const unsuitable = (operations: ReadonlyArray<Operation>): string | undefined => {
  const creates = operations.filter(({ f, outcome }) => f === "create" && outcome !== "fail")
  const [create] = creates
  const isFirst = operations.every(
    (o) => o === create || (create?.completedAt ?? Number.POSITIVE_INFINITY) < o.invokedAt
  )
  if (creates.length !== 1 || !isFirst) return "it was not created once, before all else"
  const strange = operations.find(({ f, outcome }) => f === "cas" || (f === "delete" && outcome !== "fail"))
  if (strange !== undefined) return `the versions of ${describe(strange)} are not known`
  const unversioned = operations.find(
    (o) => o.outcome === "ok" && o.f !== "delete" && o.f !== "create" && o.version === undefined
  )
  if (unversioned !== undefined) return `the version of ${describe(unversioned)} is not known`
  const values = operations.filter(isWrite).map(({ value }) => value)
  return new Set(values).size === values.length ? undefined : "a value was written more than once"
}

const isWrite = ({ f }: Operation): boolean => f === "write" || f === "create"

class Register {
  private readonly violations: Array<string> = []
  /** The writes, by what they write. */
  private readonly writes: ReadonlyMap<string, Operation>
  /** The contents that each version is known to have had, and the operations that showed it. */
  private readonly values = new Map<number, Operation>()
  /** The writer of each version, as far as that is known. */
  private readonly writers = new Map<number, Operation>()
  private readonly versionOf = new Map<Operation, number>()

  private readonly path: string
  private readonly operations: ReadonlyArray<Operation>

  constructor(path: string, operations: ReadonlyArray<Operation>) {
    this.path = path
    this.operations = operations
    this.writes = new Map(operations.filter(isWrite).map((operation) => [operation.value ?? "", operation]))
  }

  judge(): Verdict.Verdict {
    for (const operation of this.operations) if (operation.outcome === "ok") this.acknowledge(operation)
    for (const operation of this.operations)
      if (operation.f === "read" && operation.outcome === "ok") this.explain(operation)
    this.judgeZxids()
    this.judgeRealTime()
    this.judgeGaps()
    return Verdict.make({ violations: this.violations })
  }

  private addViolation(what: string): void {
    this.violations.push(`${this.path}: ${what}`)
  }

  /** One writer for each version, and one value. */
  private acknowledge(operation: Operation): void {
    if (operation.f === "delete") return
    const version = operation.f === "create" ? 0 : (operation.version ?? 0)
    this.versionOf.set(operation, version)
    const known = this.values.get(version)
    if (known === undefined) this.values.set(version, operation)
    else if (known.value !== operation.value) {
      this.addViolation(`version ${version} is two values: ${describe(known)}, and ${describe(operation)}`)
    }
    if (!isWrite(operation)) return
    const other = this.writers.get(version)
    if (other !== undefined)
      this.addViolation(`version ${version} has two writers: ${describe(other)}, and ${describe(operation)}`)
    this.writers.set(version, operation)
    if (operation.expected !== undefined && operation.expected + 1 !== version) {
      this.addViolation(`a write of version ${operation.expected} made another than the next: ${describe(operation)}`)
    }
  }

  /** The write of the value that was read. */
  private explain(read: Operation): void {
    const version = read.version ?? 0
    const write = this.writes.get(read.value ?? "")
    if (write === undefined) return this.addViolation(`a value that was never written: ${describe(read)}`)
    if (write.outcome === "fail")
      return this.addViolation(`${describe(write)} was refused, and is there: ${describe(read)}`)
    const known = this.versionOf.get(write)
    if (known !== undefined) {
      if (known !== version)
        this.addViolation(`${describe(write)} is version ${known}, and was read as ${describe(read)}`)
      return
    }
    this.versionOf.set(write, version)
    this.writers.set(version, write)
    if (write.expected !== undefined && write.expected + 1 !== version) {
      this.addViolation(
        `a write of version ${write.expected} is version ${version}: ${describe(write)}, ${describe(read)}`
      )
    }
  }

  /** A version is one transaction, and later versions are later ones. */
  private judgeZxids(): void {
    const known = new Map<number, Operation>()
    for (const operation of this.operations) {
      const version = this.versionOf.get(operation)
      if (version === undefined || operation.mzxid === undefined) continue
      const other = known.get(version)
      if (other === undefined) known.set(version, operation)
      else if (other.mzxid !== operation.mzxid) {
        this.addViolation(`version ${version} is two transactions: ${describe(other)}, and ${describe(operation)}`)
      }
    }
    let before: Operation | undefined
    for (const [, operation] of [...known].toSorted(([a], [b]) => a - b)) {
      if (before !== undefined && before.mzxid! >= operation.mzxid!) {
        this.addViolation(`a later version of an earlier transaction: ${describe(before)}, then ${describe(operation)}`)
      }
      before = operation
    }
  }

  /** Nothing is older than what was known before it was asked. */
  private judgeRealTime(): void {
    sweep<Operation, number>(this.operations, 0, (operation, floor) => {
      const { error, expected, f, outcome, synced } = operation
      if (outcome === "fail") {
        const mayLag = f === "read" && synced !== true
        if (error === "NoNode" && !mayLag) this.addViolation(`it was never deleted: ${describe(operation)}`)
        // It was refused for there was another version at some moment: the next one at the latest, if this one was known.
        if (error !== "BadVersion" || expected === undefined) return 0
        const seen = floor === expected ? floor + 1 : floor
        this.versionOf.set(operation, seen)
        return seen
      }
      const version = this.versionOf.get(operation)
      if (version === undefined) return 0
      if (f === "write" && version <= floor) {
        this.addViolation(`version ${floor} was known before it was asked: ${describe(operation)}`)
      }
      if (f === "read" && synced === true && version < floor) {
        this.addViolation(`version ${floor} was known before it was asked: ${describe(operation)}`)
      }
      return version
    })
  }

  /** Versions without a known writer are those of writes whose outcome is unknown. */
  private judgeGaps(): void {
    const all = [...this.versionOf].map(([{ completedAt }, version]) => ({ completedAt, version }))
    // Each write adds one. A version beyond all writes is none of these, however large it is.
    const writes = this.writes.size
    const seen = all.filter(({ version }) => version <= writes)
    for (const { version } of all) {
      if (version > writes) this.addViolation(`version ${version} has no explanation: there were ${writes} writes`)
    }
    const top = seen.reduce((most, { version }) => Math.max(most, version), 0)
    // By when each version was there at the latest: when the first was answered that saw it or a later one.
    const deadlines = new Array<number>(top + 2).fill(Number.POSITIVE_INFINITY)
    for (const { completedAt, version } of seen) deadlines[version] = Math.min(deadlines[version]!, completedAt)
    for (let version = top; version > 0; version--) {
      deadlines[version] = Math.min(deadlines[version]!, deadlines[version + 1]!)
    }
    const unknown = this.operations.filter((o) => isWrite(o) && o.outcome === "info" && !this.versionOf.has(o))
    const conditional = Map.groupBy(
      unknown.filter(({ expected }) => expected !== undefined),
      ({ expected }) => expected ?? 0
    )
    const others = unknown
      .filter(({ expected }) => expected === undefined)
      .toSorted((a, b) => a.invokedAt - b.invokedAt)
    let next = 0
    for (let version = 1; version <= top; version++) {
      if (this.writers.has(version)) continue
      const deadline = deadlines[version]!
      if (conditional.get(version - 1)?.some(({ invokedAt }) => invokedAt <= deadline) === true) continue
      const write = others[next]
      if (write !== undefined && write.invokedAt <= deadline) next++
      else
        this.addViolation(
          `version ${version} has no explanation: it was there at ${(deadline / 1000).toFixed(2)} ms at the latest`
        )
    }
  }
}
