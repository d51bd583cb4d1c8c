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
import { type Decision, decide, isOpenForChildren, modeOf, type OverwriteRule, type Wanted } from "./decide.ts"
import { readCurrent } from "./target.ts"

export type WriteError = CreateError | ReadError | SetDataError | SetAclError | TransactionFailed

/** A znode that is to be written, and how. */
export interface Write {
  readonly wanted: Wanted
  readonly decision: Extract<Decision, { readonly _tag: "Create" | "Overwrite" }>
}

export interface WriterOptions {
  readonly zk: Service
  readonly rule: OverwriteRule
  /** The entry with which this client may work on znodes whose ACLs would forbid it. */
  readonly own: Acl | undefined
  /** The ACLs that are set when everything else is done, by their paths, parents first. */
  readonly finalAcls: Map<string, ReadonlyArray<Acl>>
  /** Gets each znode that was written, or that turned out otherwise. */
  readonly onDone: (wanted: Wanted, decision: Decision) => void
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
      Stream.runForEach(({ batch, isDone }) =>
        isDone
          ? Effect.sync(() => {
              for (const { decision, wanted } of batch) options.onDone(wanted, decision)
            })
          : Effect.forEach(batch, (write) => writeOne(options, write.wanted), { discard: true })
      )
    )

/** Sets the ACLs for which it was too early before, children before their parents. */
export const setFinalAcls = ({ finalAcls, zk }: WriterOptions): Effect.Effect<void, WriteError> =>
  Effect.forEach(
    [...finalAcls].toReversed(),
    ([path, acl]) =>
      Outcome.retryTransient(zk.setAcl(path, acl)).pipe(
        // Another client has deleted it.
        Effect.catchTag("NoNode", () => Effect.void)
      ),
    { concurrency: 64, discard: true }
  )

// ---- internal

const TRANSACTIONS = 8
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

const send = (options: WriterOptions, batch: ReadonlyArray<Write>) => {
  const ops = batch.flatMap((write) => opOf(options, write))
  // A large znode may fit into a request of its own, and not into a transaction.
  if (batch.length === 1 && ops.length === 1) return Effect.succeed({ batch, isDone: false })
  return options.zk.transaction(ops).pipe(
    Effect.as({ batch, isDone: true }),
    // Whatever it was, it is found out znode by znode.
    Effect.catch((error) => Effect.as(syncAfter(error, options.zk, batch[0]?.wanted.path), { batch, isDone: false }))
  )
}

const opOf = (options: WriterOptions, { decision, wanted }: Write): ReadonlyArray<Op.Write> => {
  const { data, path } = wanted
  if (decision._tag === "Create") return [Op.create(path, creation(options, wanted))]
  if (decision.acl) options.finalAcls.set(path, wanted.acl)
  return decision.data ? [Op.setData(path, data ?? new Uint8Array(0), { version: decision.version })] : []
}

const creation = ({ finalAcls, own }: WriterOptions, { acl, counter, data, hasChildren, owner, path }: Wanted) => {
  const needsOwn = own !== undefined && (hasChildren || counter > 0) && !isOpenForChildren(acl)
  if (needsOwn) finalAcls.set(path, acl)
  return { ...modeOf(owner), acl: needsOwn ? [...acl, own] : acl, ...(data === null ? {} : { data }) }
}

/** Looks and writes until the znode is as it should be, or is to be left. */
const writeOne = (options: WriterOptions, wanted: Wanted): Effect.Effect<void, WriteError> => {
  const { onDone, rule, zk } = options
  const { data, path } = wanted
  const step: Effect.Effect<Decision, WriteError> = Effect.gen(function* () {
    const decision = decide(wanted, yield* readCurrent(zk, path), rule)
    if (decision._tag === "Create") {
      yield* zk.create(path, creation(options, wanted))
    } else if (decision._tag === "Overwrite") {
      if (decision.acl) options.finalAcls.set(path, wanted.acl)
      if (decision.data) yield* zk.setData(path, data ?? new Uint8Array(0), { version: decision.version })
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
    Effect.map((decision) => onDone(wanted, decision))
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
