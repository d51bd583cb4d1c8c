/**
 * Takes items with a lock, which is beside the item while it is being worked on, and ends with that session. A finished
 * item goes together with its lock, in one transaction. If the work is given up or lost, the lock alone goes, and others
 * can take the item again.
 */
import { acquireForked, awaitDetached } from "@effect-zookeeper/client/Detached"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { LockLost, type RecipeError } from "../../Errors.ts"
import { useScoped } from "../locks/guard.ts"
import { claim, guard, type LossSignal, type Ownership, releaseReason } from "../locks/ownership.ts"
import { makeBackoff, sleepJittered } from "../shared/backoff.ts"
import { afterCommit, ensureParents, getChildrenOrNone, getOrUndefined, isStateConflict } from "../shared/requests.ts"
import { failIfFinal, orIfSessionReplaced, retryAcrossSessions } from "../shared/retry.ts"
import { parseEntries, type Entry } from "./entryFormat.ts"
import { moveToDeadLetters, isExhausted, type LockedItem, putLock, removeLock } from "./itemLock.ts"
import { forgetListed, list, type QueueContext, createItemsParent, type TakeError, watchChildren } from "./queueOps.ts"

/**
 * An item that is being worked on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Taken<out A> {
  readonly item: A
  /** Of the item. */
  readonly path: string
  /** How often it has been taken with a lock, including this time. */
  readonly attempt: number
  /**
   * Never succeeds. Fails with `LockLost` when other clients may have the item, and when it is finished or given back.
   */
  readonly lost: Effect.Effect<never, LockLost>
  /**
   * Finishes the item, which is deleted. After a lost reply whose session has ended it fails with `maybeApplied: true`, also
   * in `LockLost`: the item may be finished, or another client may have it.
   */
  readonly ack: Effect.Effect<void, LockLost | RecipeError>
  /**
   * Puts the item at the end of the queue, or of those of its priority, with its attempts counted anew. Fails as `ack` does:
   * with `maybeApplied: true` the item may have been put there.
   */
  readonly requeue: Effect.Effect<void, LockLost | RecipeError>
}

/** Takes the first free item, waiting for one; gives it back when the Scope closes, unless it is finished. */
export const takeWithLock = <A>(queue: QueueContext<A>): Effect.Effect<Taken<A>, TakeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { paths, zk } = queue
      let fruitless = 0
      while (true) {
        const free = yield* restore(listFree(queue))
        for (const entry of free) {
          const path = ZnodePath.join(paths.items, entry.name)
          const lock = ZnodePath.join(paths.taken, entry.name)
          const found = yield* restore(getOrUndefined(zk, path))
          if (found === undefined) continue
          if (isExhausted(queue, found)) {
            yield* restore(moveToDeadLetters(queue, path, entry, found, lock))
            continue
          }
          const id = yield* Guid.make
          const locked = yield* awaitDetached(restore, putLock(queue, path, found, lock, id), (locked) =>
            locked === undefined ? Effect.void : removeLock(zk, locked)
          )
          if (locked === undefined) continue
          const taken = yield* acquireForked(
            (_, own) => {
              const fate = { isSettled: false }
              return Effect.andThen(
                Effect.addFinalizer(() => (fate.isSettled ? Effect.void : removeLock(zk, locked))),
                restore(openTaken(queue, entry, path, found, locked, fate, own))
              )
            },
            (taken) => taken !== undefined
          )
          if (taken !== undefined) return taken
        }
        // All free items were taken by other clients; our server has not caught up yet.
        if (free.length > 0) yield* restore(sleepJittered(20 * 2 ** Math.min(fruitless++, 6)))
        else {
          fruitless = 0
          yield* restore(awaitFree(queue))
        }
      }
    })
  )

/** Runs an effect for one item: finishes it when the effect succeeds, and gives it back otherwise. */
export const consumeOne = <A, B, E, R>(
  queue: QueueContext<A>,
  handler: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<B, E | LockLost | TakeError, R> =>
  useScoped(takeWithLock(queue), (taken) => {
    const handling = Effect.suspend(() => handler(taken.item))
    return Effect.tap(guard(taken, handling), () => taken.ack)
  })

/** Repeats `consumeOne` forever. Goes on after the loss of an item, which is another client's by then. */
export const consume = <A, B, E, R>(
  queue: QueueContext<A>,
  handler: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<never, E | TakeError, R> => {
  const one = consumeOne(queue, (item) => Effect.mapError(handler(item), (error) => new Failed(error)))
  return Effect.flatMap(makeBackoff, (backoff) =>
    Effect.forever(
      Effect.catch(one, (error): Effect.Effect<B | void, E | TakeError> => {
        if (error instanceof Failed) return Effect.fail(error.error)
        return error._tag === "LockLost" ? backoff : Effect.fail(error)
      })
    )
  )
}

/** Tells the handler's own errors, such as a LockLost of its own, from those of the queue. */
class Failed<out E> {
  readonly error: E
  constructor(error: E) {
    this.error = error
  }
}

// ---- internal: opening

/** The item, decoded and claimed; undefined when the lock was not ours after all. */
const openTaken = Effect.fnUntraced(function* <A>(
  queue: QueueContext<A>,
  entry: Entry,
  path: string,
  found: DataAndStat,
  { lock, version }: LockedItem,
  fate: { isSettled: boolean },
  scope: Scope.Scope
): Effect.fn.Return<Taken<A> | undefined, TakeError> {
  const { data, paths, zk } = queue
  // The lock goes with its session.
  const ownership = yield* orIfSessionReplaced(
    zk,
    claim(zk, lock, { onDisconnect: queue.onDisconnect, onRevoke: "continue" }, scope),
    undefined
  )
  if (ownership === undefined) return undefined
  const item = yield* data.decode(path, found.data)
  yield* Scope.addFinalizer(
    scope,
    Effect.sync(() => {
      forgetListed(queue)
      ownership.markLost(releaseReason(zk))
    })
  )
  const settle = (more: ReadonlyArray<Op.Write>) =>
    Effect.andThen(
      ownership.releaseBy(finish(queue, ownership, Op.delete(path, { version }), lock, more)),
      Effect.sync(() => {
        // The lock has gone with the item.
        fate.isSettled = true
      })
    )
  const again = Op.create(ZnodePath.join(paths.items, queue.naming.prefix(entry.priority)), {
    mode: "persistentSequential",
    data: found.data,
    acl: queue.acl
  })
  const { isLost, lost } = ownership
  const attempt = found.stat.version + 1
  const taken: Taken<A> & LossSignal = { item, path, attempt, lost, isLost, ack: settle([]), requeue: settle([again]) }
  return taken
})

// ---- internal: finishing

/**
 * Deletes item and lock in one transaction, if the item is at the version of our own take and the lock is ours. After a
 * lost reply it asks again: if the item is gone too, our transaction was applied. Where it cannot tell, its error says so.
 */
const finish = <A>(
  queue: QueueContext<A>,
  ownership: Ownership,
  item: Op.Delete,
  lock: string,
  more: ReadonlyArray<Op.Write>
): Effect.Effect<void, LockLost | RecipeError> =>
  Effect.suspend(() => {
    const fate = { isOpen: false }
    return Effect.mapError(finishOnce(queue, ownership, item, lock, more, fate), (error) => {
      if (!fate.isOpen) return error
      return error._tag === "LockLost"
        ? new LockLost({ path: error.path, reason: error.reason, maybeApplied: true })
        : Outcome.markMaybeApplied(error)
    })
  })

/** `fate.isOpen`: a transaction was sent that may have been applied. */
const finishOnce = Effect.fnUntraced(function* <A>(
  { zk }: QueueContext<A>,
  ownership: Ownership,
  item: Op.Delete,
  lock: string,
  more: ReadonlyArray<Op.Write>,
  fate: { isOpen: boolean }
): Effect.fn.Return<void, LockLost | RecipeError> {
  const { path } = item
  const session = zk.session.id
  const losses = Outcome.totalLosses()
  const isDone = Effect.fnUntraced(function* (
    reason: LockLost["reason"]
  ): Effect.fn.Return<void, LockLost | RecipeError> {
    if (fate.isOpen) {
      // While the item is there, nothing has deleted it.
      fate.isOpen = Option.isNone(yield* afterCommit(zk, zk.stat(path)))
      // The lock of a session that is over went with it: another client may have had the item since, and put it back.
      if (fate.isOpen && zk.session.id === session) return
    }
    return yield* ownership.failLost(reason)
  })
  while (true) {
    if (ownership.isLost()) return yield* isDone("session")
    // By now a lock of this name may belong to another consumer, which may leave the version of the item alone, as other
    // libraries do.
    const current = yield* retryAcrossSessions(zk, zk.stat(lock))
    if (Option.isNone(current) || current.value.czxid !== ownership.fencingToken) return yield* isDone("deleted")
    const sent = yield* Effect.result(ownership.transaction([item, Op.delete(lock), ...more]))
    if (Result.isSuccess(sent)) return
    const error = sent.failure
    if (error._tag === "LockLost") return yield* isDone("deleted")
    if (error._tag === "TransactionFailed") {
      if (isStateConflict(error.error)) return yield* isDone("deleted")
      return yield* Effect.fail(error.error)
    }
    const failure = yield* failIfFinal(zk, error)
    if (failure === "renewed") return yield* isDone("session")
    if (failure === "lost") {
      fate.isOpen = true
      losses.add(error)
      if (error._tag === "ConnectionLoss" && losses.isGivenUp) return yield* losses.withTotal(error)
    } else yield* sleepJittered(100)
  }
})

// ---- internal: looking

/** The items that are free, in queue order. */
const listFree = <A>(queue: QueueContext<A>): Effect.Effect<ReadonlyArray<Entry>, RecipeError> =>
  Effect.flatMap(list(queue), (entries) =>
    entries.length === 0
      ? Effect.succeed(entries)
      : Effect.map(getChildrenOrNone(queue.zk, queue.paths.taken), (locks) => without(entries, locks))
  )

const without = (entries: ReadonlyArray<Entry>, locks: ReadonlyArray<string>): ReadonlyArray<Entry> => {
  const taken = new Set(locks)
  return entries.filter(({ name }) => !taken.has(name))
}

/** Waits for a free item: a new one, or one that is given back. */
const awaitFree = <A>(queue: QueueContext<A>): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { acl, naming, paths, zk } = queue
      const items = yield* watchChildren(zk, paths.items, createItemsParent(queue))
      const locks = yield* watchChildren(zk, paths.taken, ensureParents(zk, paths.taken, acl))
      if (items === undefined || locks === undefined) return
      if (without(parseEntries(items.children, naming), locks.children).length > 0) return
      yield* Effect.raceFirst(Fiber.join(items.nextChange), Fiber.join(locks.nextChange))
    })
  ).pipe((waiting) => orIfSessionReplaced(queue.zk, waiting, undefined))
