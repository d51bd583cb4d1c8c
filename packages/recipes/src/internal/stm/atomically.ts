/** Runs a transaction until its writes are applied to the state that it has read. */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import * as Op from "@effect-zookeeper/client/Op"
import type { NotEmpty, OperationError, TransactionFailed } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { Contended, type RecipeError, VersionExhausted } from "../../Errors.ts"
import type { CommitError, Transaction } from "./model.ts"
import { sleepJittered, untilDefined } from "../shared/backoff.ts"
import type { AclOptions } from "../shared/options.ts"
import { createIfMissing, getOrUndefined } from "../shared/requests.ts"
import { retryAcrossSessions, retryTransient } from "../shared/retry.ts"
import type { ExactlyOnce } from "../values/exactlyOnce.ts"
import { type Entry, TransactionRun } from "./TransactionRun.ts"

interface Source extends AclOptions {
  readonly zk: ZooKeeper.Service
  readonly path: string
  /** The znode whose version counts the transactions that deleted something. */
  readonly deletions: string
  readonly attempts: number | undefined
  readonly exactlyOnce: ExactlyOnce
}

export const atomically = <A, E, R>(
  source: Source,
  f: (transaction: Transaction) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | CommitError, R> =>
  Effect.gen(function* () {
    const { attempts, path, zk } = source
    let conflicts = 0
    while (true) {
      const deletions = yield* readDeletions(source)
      const run = new TransactionRun(zk)
      const exit = yield* Effect.exit(Effect.suspend(() => f(run)))
      const { givenUp } = run
      if (givenUp === undefined) {
        const value = yield* exit
        if (yield* commit(source, run, deletions)) return value
      }
      if (givenUp === "retry") {
        conflicts = 0
        yield* awaitChange(zk, run)
        continue
      }
      conflicts++
      if (conflicts === attempts) return yield* new Contended({ path, attempts: conflicts })
      yield* sleepJittered(5 * 2 ** Math.min(conflicts, 8))
      // The server that was read from may lag behind.
      yield* retryAcrossSessions(zk, zk.sync("/"))
    }
  })

// ---- internal

/** The version of the znode that counts deletions. Read first, so that a later deletion is noticed. */
const readDeletions = ({ acl, deletions, zk }: Source): Effect.Effect<number, RecipeError> =>
  untilDefined(
    Effect.flatMap(getOrUndefined(zk, deletions), (found) =>
      found === undefined
        ? Effect.as(createIfMissing(zk, deletions, { acl }), undefined)
        : Effect.succeed(found.stat.version)
    )
  )

/** Applies the writes, if all that was read is still so; otherwise gives false. */
const commit = Effect.fnUntraced(function* (
  { deletions: counter, exactlyOnce, path }: Source,
  run: TransactionRun,
  deletions: number
): Effect.fn.Return<boolean, CommitError> {
  const entries = [...run.entries.values()]
  // The reads belong to one state by themselves.
  if (!entries.some(isChanged)) return true
  for (const { found, path } of entries) if (found?.stat.version === -1) return yield* new VersionExhausted({ path })
  const sent = yield* Effect.result(
    exactlyOnce.transact({ operation: "atomically", path }, operations(entries, counter, deletions))
  )
  if (Result.isSuccess(sent)) return true
  const error = sent.failure
  if (error._tag !== "TransactionFailed") return yield* Effect.fail(error)
  return yield* judge(error)
})

const judge = ({ error }: TransactionFailed): Effect.Effect<false, RecipeError | NotEmpty> =>
  isConflict(error) ? Effect.succeed(false) : Effect.fail(error)

type Conflict = Extract<OperationError, { readonly _tag: "NoNode" | "NodeExists" | "BadVersion" }>

const isConflict = (error: OperationError): error is Conflict =>
  error._tag === "NoNode" || error._tag === "NodeExists" || error._tag === "BadVersion"

const isChanged = ({ data, found, isWritten }: Entry): boolean =>
  isWritten && (data !== undefined || found !== undefined)

/** The checks, then the writes in an order in which each parent is there for its children. */
const operations = (entries: ReadonlyArray<Entry>, counter: string, deletions: number): ReadonlyArray<Op.Write> => {
  const checks: Array<Op.Write> = []
  const sets: Array<Op.Write> = []
  const deleted = entries.filter(
    ({ created, data, found }) => found !== undefined && (data === undefined || created !== undefined)
  )
  const created = entries.filter(({ created, data }) => data !== undefined && created !== undefined)
  const willBe = new Set(created.map(({ path }) => path))
  const absent = new Set<string>()
  for (const { absence, created, data, found, isWritten, path } of entries) {
    if (found !== undefined) {
      const { version } = found.stat
      if (!isWritten) checks.push(Op.check(path, version))
      else if (data !== undefined && created === undefined) sets.push(Op.setData(path, data, { version }))
    } else if (data === undefined && absence !== undefined) {
      if (absence.isBelowEphemeral && absence.ancestor !== undefined) checks.push(Op.check(absence.ancestor))
      else if (!willBe.has(absence.missing)) absent.add(absence.missing)
    }
  }
  // There is no check for a znode that is not there, but a create is one.
  for (const path of absent) checks.push(Op.create(path), Op.delete(path))
  if (deleted.length > 0) checks.push(Op.setData(counter, "", { version: deletions }))
  else if (entries.some(({ found }) => found !== undefined)) checks.push(Op.check(counter, deletions))
  return [
    ...checks,
    ...deleted
      .toSorted((a, b) => depth(b.path) - depth(a.path))
      .map(({ found, path }) => Op.delete(path, { version: found!.stat.version })),
    ...created
      .toSorted((a, b) => depth(a.path) - depth(b.path))
      .map(({ created, data, path }) => Op.create(path, { ...created, data })),
    ...sets
  ]
}

const depth = (path: string): number => ZnodePath.ancestors(path).length

/** Waits until something that was read has changed. */
const awaitChange = (zk: ZooKeeper.Service, run: TransactionRun): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const watches: Array<Effect.Effect<unknown, RecipeError>> = []
      for (const { absence, path } of run.entries.values()) {
        const seen = yield* retryTransient(watchScoped(zk.existsAndWatch(absence?.missing ?? path)))
        watches.push(Fiber.join(seen.nextChange))
      }
      // What changed before the watches were set has no event.
      if (yield* run.isCurrent) yield* watches.length === 0 ? Effect.never : Effect.raceAllFirst(watches)
    })
  ).pipe((waiting) => retryAcrossSessions(zk, waiting))
