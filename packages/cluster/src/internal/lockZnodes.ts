/** Creating and deleting the ephemeral znodes that are the locks of shards: many at a time, in transactions. */
import type { CreateError, DeleteError, OperationError } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scheduler from "effect/Scheduler"
import { type Layout, shardName } from "./layout.ts"
import { ensureLayout } from "./ensureLayout.ts"

/** The errors of creating and deleting locks. */
export type LockError = CreateError | DeleteError | OperationError

/** The owner of locks: a runner in a session. Several runners may share a session. */
export interface LockOwner {
  readonly zk: ZooKeeper.Service
  readonly layout: Layout
  /** The runner's address, which is the data of its locks. */
  readonly address: string
  readonly sessionId: bigint
}

/**
 * Creates the locks of shards that are free, and tells each that is the owner's: also one that it has from before. All
 * transactions are on their way at once. A shard that another has is left out, and its lock is not touched.
 *
 * `isForeign` knows shards whose lock was another's when it was looked at, which nothing but a create changes.
 */
export const createLocks = (
  owner: LockOwner,
  shardIds: ReadonlyArray<string>,
  isForeign: Set<string>,
  onOwned: (shardId: string) => void
): Effect.Effect<void, LockError> =>
  Effect.gen(function* () {
    const { layout, zk } = owner
    const list = Outcome.retryTransient(zk.getChildren(layout.shards))
    const names = new Set(
      yield* Effect.catchTag(list, "NoNode", () => Effect.as(ensureLayout(zk, layout), Arr.empty<string>()))
    )
    const isTaken = (id: string) => names.has(shardName(id))
    const free = shardIds.filter((id) => !isTaken(id))
    const unknown = shardIds.filter((id) => isTaken(id) && !isForeign.has(id))
    const create = inChunks(free, (chunk) => createChunk(owner, chunk, onOwned))
    const adopt = inChunks(unknown, (chunk) =>
      Effect.map(ownAmong(owner, chunk), (own) => {
        for (const id of chunk) if (!own.includes(id)) isForeign.add(id)
        own.forEach(onOwned)
      })
    )
    yield* allOf([create, adopt])
  })

/**
 * Deletes the owner's locks, and no others: each attempt looks at the owners first, and is sent in the owner's session or not
 * at all. Goes on until they are gone or the session is over, which takes them along.
 */
export const deleteLocks = (owner: LockOwner, shardIds: ReadonlyArray<string>): Effect.Effect<void, LockError> =>
  inChunks(shardIds, (chunk) => deleteChunk(owner, chunk))

// ---- internal

/** A transaction of so many creates is some ten kilobytes, and no server minds it. */
const chunkSize = 100

const inChunks = <E>(
  shardIds: ReadonlyArray<string>,
  f: (chunk: ReadonlyArray<string>) => Effect.Effect<void, E>
): Effect.Effect<void, E> => allOf(Arr.chunksOf(shardIds, chunkSize).map(f))

/** All at once. A failure interrupts none of the others, whose replies would be lost; the first one is told in the end. */
const allOf = <E>(effects: ReadonlyArray<Effect.Effect<void, E>>): Effect.Effect<void, E> =>
  Effect.flatMap(
    Effect.forEach(effects, (effect) => Effect.exit(effect), { concurrency: "unbounded" }),
    (exits) => exits.find(Exit.isFailure) ?? Effect.void
  )

const pathOf = ({ layout }: LockOwner, shardId: string): string => ZnodePath.join(layout.shards, shardName(shardId))

const isOwn = ({ address, sessionId }: LockOwner, { data, stat }: DataAndStat): boolean =>
  stat.ephemeralOwner === sessionId && new TextDecoder().decode(data) === address

const createChunk = (
  owner: LockOwner,
  shardIds: ReadonlyArray<string>,
  onOwned: (shardId: string) => void
): Effect.Effect<void, LockError> => {
  const one = (isRepeated: boolean) =>
    allOf(
      shardIds.map((id) =>
        Effect.map(createOne(owner, id, isRepeated), (isOwned) => (isOwned ? onOwned(id) : undefined))
      )
    )
  const { address: data } = owner
  return Effect.matchEffect(
    owner.zk.transaction(shardIds.map((id) => Op.create(pathOf(owner, id), { data, mode: "ephemeral" }))),
    {
      onSuccess: () =>
        Effect.flatMap(confirm(owner, shardIds), (isOwned) => Effect.sync(() => isOwned && shardIds.forEach(onOwned))),
      onFailure: (error) => {
        if (error._tag === "TransactionFailed") return one(false)
        return Outcome.mayBeApplied(error) || Outcome.isTransient(error) ? one(true) : Effect.fail(error)
      }
    }
  )
}

/** Whether the lock of one shard is the owner's now. */
const createOne = (owner: LockOwner, shardId: string, isRepeated: boolean): Effect.Effect<boolean, LockError> =>
  Effect.suspend(() => {
    const { address: data, layout, zk } = owner
    const path = pathOf(owner, shardId)
    let mayBeOwn = isRepeated
    // A server that lags would not show a lock that was made on another connection.
    const look = Effect.andThen(zk.sync(path), zk.get(path)).pipe(
      Effect.flatMap((znode) => confirmFound(owner, shardId, znode)),
      Effect.catchTag("NoNode", () => Effect.undefined)
    )
    const once = zk.create(path, { data, mode: "ephemeral" }).pipe(
      Effect.andThen(confirm(owner, [shardId])),
      Effect.tapError((error) => Effect.sync(() => (mayBeOwn ||= Outcome.mayBeApplied(error)))),
      Effect.catchTag("NodeExists", () => (mayBeOwn ? look : Effect.succeed(false))),
      Effect.catchTag("NoNode", () => Effect.as(ensureLayout(zk, layout), undefined))
    )
    return Effect.map(
      Effect.repeat(Outcome.retryTransient(once), { until: (known) => known !== undefined, times: 10 }),
      (known) => known === true
    )
  })

/**
 * Whether the locks that were just created are those of the owner's session: a request that was repeated may have gone out
 * in the session that replaced it. Such locks are given back.
 */
const confirm = (owner: LockOwner, shardIds: ReadonlyArray<string>): Effect.Effect<boolean, LockError> =>
  Effect.suspend(() => {
    const sessionId = owner.zk.session.id
    if (sessionId === owner.sessionId) return Effect.succeed(true)
    return Effect.as(deleteLocks({ ...owner, sessionId }, shardIds), false)
  })

/** Whether a lock that was found is the owner's. One of the session that replaced the owner's is given back. */
const confirmFound = (owner: LockOwner, shardId: string, znode: DataAndStat): Effect.Effect<boolean, LockError> =>
  isOwn({ ...owner, sessionId: owner.zk.session.id }, znode)
    ? confirm(owner, [shardId])
    : Effect.succeed(isOwn(owner, znode))

const deleteChunk = (owner: LockOwner, shardIds: ReadonlyArray<string>): Effect.Effect<void, LockError> => {
  const { sessionId, zk } = owner
  const inSession = <E>(request: () => Effect.Effect<unknown, E>): Effect.Effect<void, E> =>
    Effect.suspend(() => (zk.session.id === sessionId ? Effect.asVoid(request()) : Effect.void)).pipe(
      // Between the look at the session and the request no other fiber runs.
      Effect.provideService(Scheduler.PreventSchedulerYield, true)
    )
  const once = Effect.gen(function* () {
    if (zk.session.id !== sessionId) return true
    yield* Outcome.settle(zk)
    const own = yield* ownAmong(owner, shardIds)
    if (own.length > 0) yield* inSession(() => zk.transaction(own.map((id) => Op.delete(pathOf(owner, id)))))
    return true
  })
  return Outcome.retryTransient(once).pipe(
    // Somebody else has deleted one of them.
    Effect.catchTag("TransactionFailed", ({ error }) =>
      error._tag === "NoNode" ? Effect.succeed(false) : Effect.fail(error)
    ),
    Effect.repeat({ until: (isDone) => isDone, schedule: Schedule.spaced("20 millis") }),
    Effect.catchTag(["SessionExpired", "SessionClosed"], () => Effect.void),
    Effect.asVoid
  )
}

/** The shards whose lock is the owner's. */
const ownAmong = (owner: LockOwner, shardIds: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, LockError> =>
  Effect.map(Outcome.retryTransient(owner.zk.read(shardIds.map((id) => Op.get(pathOf(owner, id))))), (results) =>
    shardIds.filter((_, index) => {
      const result = results[index]
      return result !== undefined && Result.isSuccess(result) && isOwn(owner, result.success)
    })
  )
