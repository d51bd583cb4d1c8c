/**
 * Writes znodes into a tree: many in one transaction, and many transactions at a time. The znodes of a transaction that fails are
 * written one by one, with a look at each before it.
 */
import type { Acl } from "@effect-zookeeper/client/Acl"
import type {
  CreateError,
  InvalidArgument,
  ReadError,
  SessionError,
  SetAclError,
  SetDataError,
  TransactionFailed
} from "@effect-zookeeper/client/Errors"
import { BadVersion, NodeExists } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import {
  type Current,
  type Decision,
  decide,
  hasTemporary,
  isOpenForChildren,
  isSameAcl,
  isSameData,
  modeOf,
  type OverwriteRule,
  temporaryAcl,
  type Wanted,
  withoutTemporary
} from "./decide.ts"
import { readCurrent } from "./target.ts"

export type WriteError = CreateError | ReadError | SetDataError | SetAclError | TransactionFailed

/** A znode that is to be written, and how. */
export interface Write {
  readonly wanted: Wanted
  readonly decision: Extract<Decision, { readonly _tag: "Create" | "Overwrite" }>
}

/** An ACL that is set when everything else is done. */
interface FinalAcl {
  readonly acl: ReadonlyArray<Acl>
  /** The version that the ACL of the znode has until then. */
  readonly aversion: number
  /** The ACL that the znode had before this run gave it a temporary one. */
  readonly former?: ReadonlyArray<Acl>
  /** The decision that is told when the ACL is set, or left. */
  readonly decision?: Overwrite
}

type Overwrite = Extract<Decision, { readonly _tag: "Overwrite" }>

export interface WriterOptions {
  readonly zk: Service
  readonly rule: OverwriteRule
  /** The entries with which this client may work on znodes whose ACLs would forbid it; undefined if they are not known. */
  readonly own: ReadonlyArray<Acl> | undefined
  /** By their paths. */
  readonly finalAcls: Map<string, FinalAcl>
  /** Gets each znode that was written, or that turned out otherwise. */
  readonly onDone: (path: string, decision: Decision) => void
}

/** Writes in the order of the stream. */
export const writeAll =
  (options: WriterOptions) =>
  <E, R>(writes: Stream.Stream<Write, E, R>): Effect.Effect<void, E | WriteError, R> =>
    writes.pipe(
      Stream.mapAccumArray(
        () => new Batch(),
        (batch, some) => [batch, batch.add(some)],
        { onHalt: (batch) => batch.rest() }
      ),
      // Requests are applied in the order in which they are sent: a parent is there before its children come.
      Stream.mapEffect((batch) => send(options, batch), { concurrency: TRANSACTIONS }),
      Stream.runForEach(({ done, left }) => {
        for (const { decision, wanted } of done) tell(options, wanted.path, decision)
        return Effect.forEach(left, (write) => writeOne(options, write), { discard: true })
      })
    )

/** Sets the ACLs for which it was too early before, children before their parents. */
export const setFinalAcls = (options: WriterOptions): Effect.Effect<void, WriteError> =>
  Effect.forEach(
    [...options.finalAcls].toSorted(([a], [b]) => (a < b ? 1 : -1)),
    ([path, { acl, aversion, decision }]) =>
      Effect.map(setFinalAcl(options, path, acl, aversion), (isLeft) => {
        if (decision === undefined) return
        const withoutAcl: Decision = decision.data ? { ...decision, acl: false } : { _tag: "Leave", reason: "newer" }
        options.onDone(path, isLeft ? withoutAcl : decision)
      }),
    { concurrency: ACLS, discard: true }
  )

// ---- internal

const TRANSACTIONS = 8
const ACLS = 64
const MAX_WRITES = 200
const MAX_BYTES = 300_000

class Batch {
  private writes: Array<Write> = []
  private bytes = 0

  /** The batches that are full. */
  add(writes: ReadonlyArray<Write>): ReadonlyArray<ReadonlyArray<Write>> {
    const full: Array<ReadonlyArray<Write>> = []
    for (const write of writes) {
      const { acl, data, path } = write.wanted
      const size = (data?.length ?? 0) + 3 * path.length + 60 + 100 * acl.length
      if (this.bytes + size > MAX_BYTES || this.writes.length >= MAX_WRITES) full.push(...this.rest())
      this.writes.push(write)
      this.bytes += size
    }
    return full
  }

  rest(): ReadonlyArray<ReadonlyArray<Write>> {
    const { writes } = this
    this.writes = []
    this.bytes = 0
    return writes.length === 0 ? [] : [writes]
  }
}

/** Gives the writes that are done, and those that are left to be done one by one. */
const send = (options: WriterOptions, batch: ReadonlyArray<Write>) => {
  const joint = batch.filter((write) => !needsAclFirst(write))
  const ops = joint.flatMap((write) => opOf(options, write))
  // A large znode may fit into a request of its own, and not into a transaction.
  const isAlone = joint.length === 1 && ops.length === 1
  const transaction = isAlone
    ? Effect.succeed([])
    : (ops.length === 0 ? Effect.void : options.zk.transaction(ops)).pipe(
        Effect.as(joint),
        // Whatever it was, it is found out znode by znode.
        Effect.catch((error) => Effect.as(syncAfter(error, options.zk, joint[0]?.wanted.path), []))
      )
  const others = Effect.forEach(
    batch.filter(needsAclFirst),
    (write) => {
      const { decision, wanted } = write
      return apply(options, wanted, decision).pipe(
        Effect.as([write]),
        Effect.catch((error) => Effect.as(syncAfter(error, options.zk, wanted.path), []))
      )
    },
    { concurrency: ACLS }
  )
  return Effect.map(Effect.all([transaction, others], { concurrency: "unbounded" }), ([some, more]) => {
    const done = new Set([some, ...more].flat())
    return { done: batch.filter((write) => done.has(write)), left: batch.filter((write) => !done.has(write)) }
  })
}

/** Tells of a znode, or notes what is told later: another client may set its ACL until this client does. */
const tell = ({ finalAcls, onDone }: WriterOptions, path: string, decision: Decision): void => {
  const final = finalAcls.get(path)
  if (decision._tag !== "Overwrite" || final === undefined) onDone(path, decision)
  else finalAcls.set(path, { ...final, decision })
}

const needsAclFirst = ({ decision }: Write): boolean => decision._tag === "Overwrite" && decision.data && decision.acl

const opOf = (options: WriterOptions, { decision, wanted }: Write): ReadonlyArray<Op.Write> => {
  const { acl, data, path } = wanted
  if (decision._tag === "Create") return [Op.create(path, creation(options, wanted))]
  if (decision.acl) options.finalAcls.set(path, { acl, aversion: decision.aversion })
  return decision.data ? [Op.setData(path, data ?? new Uint8Array(0), { version: decision.version })] : []
}

const creation = ({ finalAcls, own = [] }: WriterOptions, { acl, counter, data, hasChildren, owner, path }: Wanted) => {
  const needsOwn = own.length > 0 && (hasChildren || counter > 0) && !isOpenForChildren(acl)
  if (needsOwn) finalAcls.set(path, { acl, aversion: 0 })
  return { ...modeOf(owner), acl: needsOwn ? [...acl, ...own] : acl, ...(data === null ? {} : { data }) }
}

/** Writes one znode, and forgets the ACL that was to be set at its end. */
const apply = (options: WriterOptions, wanted: Wanted, decision: Write["decision"]): Effect.Effect<void, WriteError> =>
  Effect.gen(function* () {
    const { finalAcls, own, zk } = options
    const { acl, data, path } = wanted
    if (decision._tag === "Create") {
      finalAcls.delete(path)
      yield* zk.create(path, creation(options, wanted))
      return
    }
    const { aversion, former, version } = decision
    if (!decision.acl) finalAcls.delete(path)
    else if (!decision.data) finalAcls.set(path, { acl, aversion })
    else {
      // The data makes the znode newer than that of the source: another run could not tell that its ACL is still to be set.
      const stat = yield* zk.setAcl(path, temporaryAcl(acl, own, former), { version: aversion })
      finalAcls.set(path, { acl, aversion: stat.aversion, former })
    }
    if (decision.data) yield* zk.setData(path, data ?? new Uint8Array(0), { version })
    // This client needed no entry, so that it is the final one.
    if (decision.acl && decision.data && own?.length === 0) finalAcls.delete(path)
  })

/** Looks and writes until the znode is as it should be, or is to be left. */
const writeOne = (options: WriterOptions, { decision: before, wanted }: Write): Effect.Effect<void, WriteError> => {
  const { finalAcls, rule, zk } = options
  const { path } = wanted
  const step: Effect.Effect<Decision, WriteError> = Effect.gen(function* () {
    const current = yield* readCurrent(zk, path)
    const final = finalAcls.get(path)
    const former = formerAclOf(wanted, final, current)
    const allowed = decide(
      wanted,
      current === undefined || former === undefined ? current : { ...current, acl: former },
      rule
    )
    const isTheirs = rule !== "always" && former === undefined && hasOtherAcl(before, final, allowed)
    const decision: Decision = isTheirs ? { _tag: "Leave", reason: "newer" } : allowed
    if (decision._tag === "Create" || decision._tag === "Overwrite") yield* apply(options, wanted, decision)
    else {
      finalAcls.delete(path)
      if (current !== undefined && former !== undefined) {
        finalAcls.set(path, { acl: withoutTemporary(former), aversion: current.stat.aversion })
      }
    }
    return decision
  })
  return step.pipe(
    Effect.tapError((error) => syncAfter(error, zk, path)),
    Effect.retry({
      while: (error) => error instanceof NodeExists || error instanceof BadVersion,
      times: 32
    }),
    Outcome.retryTransient,
    Effect.map((decision) => tell(options, path, decision))
  )
}

/** Whether another client has set an ACL since the first look. */
const hasOtherAcl = (before: Write["decision"], final: FinalAcl | undefined, now: Decision): boolean =>
  before._tag === "Overwrite" &&
  now._tag === "Overwrite" &&
  now.acl &&
  now.aversion !== before.aversion &&
  now.aversion !== final?.aversion &&
  !hasTemporary(now.former)

/**
 * The ACL that a znode had before this run gave it the temporary one that it has. Undefined where it has the data, too: the reply
 * to their write may have been lost, and what is left is the ACL.
 */
const formerAclOf = (
  { data }: Wanted,
  final: FinalAcl | undefined,
  current: Current | undefined
): ReadonlyArray<Acl> | undefined =>
  current !== undefined &&
  !isSameData(data, current.data) &&
  (current.stat.aversion === final?.aversion || hasTemporary(current.acl))
    ? final?.former
    : undefined

/** An ACL that another client has set meanwhile is overwritten only if everything is. Gives whether it was left. */
const setFinalAcl = (
  options: WriterOptions,
  path: string,
  acl: ReadonlyArray<Acl>,
  version: number
): Effect.Effect<boolean, WriteError> => {
  const { rule, zk } = options
  return Outcome.retryTransient(zk.setAcl(path, acl, { version })).pipe(
    Effect.as(false),
    // Another client has deleted it.
    Effect.catchTag("NoNode", () => Effect.succeed(false)),
    Effect.catchTag("BadVersion", () =>
      Effect.gen(function* () {
        yield* Outcome.retryTransient(zk.sync(path))
        const current = yield* readCurrent(zk, path)
        if (current === undefined || isSameAcl(current.acl, acl)) return false
        const { stat } = current
        const isOurs = hasTemporary(current.acl) || (rule === "always" && stat.ephemeralOwner === 0n)
        return isOurs ? yield* setFinalAcl(options, path, acl, stat.aversion) : true
      })
    )
  )
}

/**
 * After a write that may have been applied: the look that follows must see it, also at a server that lags behind the one that the
 * write has reached.
 */
const syncAfter = (
  error: { readonly _tag: string },
  zk: Pick<Service, "sync">,
  path = "/"
): Effect.Effect<void, InvalidArgument | SessionError> =>
  Outcome.mayBeApplied(error) ? Outcome.retryTransient(zk.sync(path)) : Effect.void
