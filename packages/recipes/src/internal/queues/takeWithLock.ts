/**
 * Items taken with a lock: a lock stands beside the item while somebody works on it, and goes with that session. Done, item
 * and lock go in one transaction; given up or lost, the lock alone goes, and the item is there for others again.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { LockLost, RecipeError } from "../../Errors.ts"
import { sleepJittered } from "../values/compareAndSet.ts"
import { parseEntries, type Entry } from "./entryFormat.ts"
import { claim, guard, type LossSignal, type Ownership, releaseReason } from "../locks/ownership.ts"
import { ensureParents } from "../locks/ContenderQueue.ts"
import { moveToDeadLetters, isExhausted, type LockedItem, putLock, removeLock } from "./itemLock.ts"
import { retryAcrossSessions, isSessionReplaced } from "../shared/retry.ts"
import {
  getChildrenOrNone,
  getOrUndefined,
  forgetListed,
  list,
  type QueueContext,
  createItemsParent,
  type TakeError,
  untilSessionReplaced,
  watchChildren
} from "./queueOps.ts"
import { awaitDetached } from "../shared/watches.ts"
import { isStateConflict } from "../values/exactlyOnce.ts"

/** An item that is worked on. */
export interface Taken<out A> {
  readonly item: A
  /** Of the item. */
  readonly path: string
  /** How often it has been taken with a lock, this time included. */
  readonly attempt: number
  /** Never succeeds. Fails when the item is no longer ours: others may have it; and when it is done or given back. */
  readonly lost: Effect.Effect<never, LockLost>
  /** It is done, and goes. */
  readonly ack: Effect.Effect<void, LockLost | RecipeError>
  /** It goes to the end of the queue, or of those of its priority, as one that nobody has taken yet. */
  readonly requeue: Effect.Effect<void, LockLost | RecipeError>
}

/** Takes the first item that nobody works on, waited for; given back when the Scope closes, unless it is done. */
export const takeWithLock = <A>(queue: QueueContext<A>): Effect.Effect<Taken<A>, TakeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { paths, zk } = queue
      const scope = yield* Effect.scope
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
          const attemptScope = yield* Scope.fork(scope)
          const fate = { isSettled: false }
          yield* Scope.addFinalizer(
            attemptScope,
            Effect.suspend(() => (fate.isSettled ? Effect.void : removeLock(zk, locked)))
          )
          const exit = yield* Effect.exit(restore(openTaken(queue, entry, path, found, locked, fate, attemptScope)))
          if (Exit.isSuccess(exit) && exit.value !== undefined) return exit.value
          yield* Scope.close(attemptScope, Exit.void)
          if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
        }
        // Others were quicker, and this server has yet to hear of it.
        if (free.length > 0) yield* restore(sleepJittered(20))
        else yield* restore(awaitFree(queue))
      }
    })
  )

/** Runs an effect for one item: done when it succeeds, given back when it does not. */
export const consumeOne = <A, B, E, R>(
  queue: QueueContext<A>,
  handler: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<B, E | LockLost | TakeError, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) =>
      Effect.flatMap(Effect.provideService(takeWithLock(queue), Scope.Scope, scope), (taken) =>
        Effect.tap(
          guard(
            taken,
            Effect.suspend(() => handler(taken.item))
          ),
          () => taken.ack
        )
      ),
    (scope, exit) => Scope.close(scope, exit)
  )

/** `consumeOne` for ever. What is lost is another's to do. */
export const consume = <A, B, E, R>(
  queue: QueueContext<A>,
  handler: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<never, E | TakeError, R> => {
  const one = consumeOne(queue, (item) => Effect.mapError(handler(item), (error) => new Failed(error)))
  const goOn = Effect.catch(one, (error): Effect.Effect<B | void, E | TakeError> => {
    if (error instanceof Failed) return Effect.fail(error.error)
    return error._tag === "LockLost" ? Effect.void : Effect.fail(error)
  })
  return Effect.forever(goOn)
}

/** Tells the handler's own errors, a LockLost of its own for one, from ours. */
class Failed<out E> {
  readonly error: E
  constructor(error: E) {
    this.error = error
  }
}

// ---- internal: opening

/** What was read, locked and claimed; undefined when the lock was not ours after all. */
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
  const ownership = yield* Effect.catch(claim(zk, lock, queue.onDisconnect, scope), (error) =>
    // The lock has gone with its session.
    Effect.flatMap(isSessionReplaced(zk, error), (isReplaced) => (isReplaced ? Effect.undefined : Effect.fail(error)))
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
      finish(queue, ownership, Op.delete(path, { version }), lock, more),
      Effect.sync(() => {
        // The lock has gone with the item.
        fate.isSettled = true
        ownership.markLost("released")
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
 * Item and lock go in one transaction, if the item is at the version of our own take and the lock is ours. A lost reply asks
 * again: when the lock is gone then, it was ours to go if the item is gone too.
 */
const finish = Effect.fnUntraced(function* <A>(
  { zk }: QueueContext<A>,
  ownership: Ownership,
  item: Op.Delete,
  lock: string,
  more: ReadonlyArray<Op.Write>
): Effect.fn.Return<void, LockLost | RecipeError> {
  const { path } = item
  const session = zk.session.id
  let isOpen = false
  const losses = Outcome.totalLosses()
  const isDone = Effect.fnUntraced(function* (
    reason: LockLost["reason"]
  ): Effect.fn.Return<void, LockLost | RecipeError> {
    const read = retryAcrossSessions(zk, Effect.andThen(zk.sync(path), zk.stat(path)))
    // The lock of a session that is over went with it: another may have had the item since, and put it back.
    if (isOpen && Option.isNone(yield* read) && zk.session.id === session) return
    return yield* ownership.markLost(reason)
  })
  while (true) {
    if (ownership.isLost()) return yield* isDone("session")
    // A lock of this name may be another's by then: of a consumer that leaves the version of the item alone, as those of
    // other clients do.
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
    if (Outcome.mayBeApplied(error)) {
      isOpen = true
      losses.add(error)
      if (error._tag === "ConnectionLoss" && losses.isGivenUp) return yield* losses.withTotal(error)
    } else if (Outcome.isLost(error) || Outcome.isTransient(error)) yield* sleepJittered(100)
    else if (yield* isSessionReplaced(zk, error)) return yield* isDone("session")
    else return yield* Effect.fail(error)
  }
})

// ---- internal: looking

/** The items that nobody works on, first come first. */
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

/** Waits for an item that nobody works on: a new one, or one that is given back. */
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
  ).pipe((waiting) => untilSessionReplaced(queue.zk, waiting))
