/**
 * Items taken with a lock: a mark stands beside the item while somebody works on it, and goes with that session. Done, item
 * and mark go in one transaction; given up or lost, the mark alone goes, and the item is there for others again.
 */
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
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
import type { LockLost, RecipeError } from "../Errors.ts"
import { pause } from "./compareAndSet.ts"
import { entriesOf, type Entry } from "./entries.ts"
import { claim, guard, type Guarding, type Holding, releaseOf } from "./holding.ts"
import { ensure } from "./line.ts"
import { bury, isSpent, type Marked, put, takeAway } from "./marking.ts"
import { acrossSessions, isRenewed } from "./patience.ts"
import {
  childrenOf,
  find,
  forget,
  list,
  type Store,
  makeItems,
  type TakeError,
  untilRenewed,
  watchChildren
} from "./queue.ts"
import { inHand } from "./watching.ts"
import { isAboutZnodes } from "./witness.ts"

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
export const takeWithLock = <A>(store: Store<A>): Effect.Effect<Taken<A>, TakeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { places, zk } = store
      const scope = yield* Effect.scope
      while (true) {
        const free = yield* restore(listFree(store))
        for (const entry of free) {
          const path = ZnodePath.join(places.items, entry.name)
          const mark = ZnodePath.join(places.taken, entry.name)
          const found = yield* restore(find(zk, path))
          if (found === undefined) continue
          if (isSpent(store, found)) {
            yield* restore(bury(store, path, entry, found, mark))
            continue
          }
          const id = yield* Guid.make
          const marked = yield* inHand(restore, put(store, path, found, mark, id), (marked) =>
            marked === undefined ? Effect.void : takeAway(zk, marked)
          )
          if (marked === undefined) continue
          const standing = yield* Scope.fork(scope)
          const fate = { isSettled: false }
          yield* Scope.addFinalizer(
            standing,
            Effect.suspend(() => (fate.isSettled ? Effect.void : takeAway(zk, marked)))
          )
          const exit = yield* Effect.exit(restore(open(store, entry, path, found, marked, fate, standing)))
          if (Exit.isSuccess(exit) && exit.value !== undefined) return exit.value
          yield* Scope.close(standing, Exit.void)
          if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
        }
        // Others were quicker, and this server has yet to hear of it.
        if (free.length > 0) yield* restore(pause(20))
        else yield* restore(awaitFree(store))
      }
    })
  )

/** Runs an effect for one item: done when it succeeds, given back when it does not. */
export const consumeOne = <A, B, E, R>(
  store: Store<A>,
  handler: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<B, E | LockLost | TakeError, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) =>
      Effect.flatMap(Effect.provideService(takeWithLock(store), Scope.Scope, scope), (taken) =>
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
  store: Store<A>,
  handler: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<never, E | TakeError, R> => {
  const one = consumeOne(store, (item) => Effect.mapError(handler(item), (error) => new Failed(error)))
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

/** What was read, marked and claimed; undefined when the mark was not ours after all. */
const open = Effect.fnUntraced(function* <A>(
  store: Store<A>,
  entry: Entry,
  path: string,
  found: DataAndStat,
  { mark, version }: Marked,
  fate: { isSettled: boolean },
  scope: Scope.Scope
): Effect.fn.Return<Taken<A> | undefined, TakeError> {
  const { data, places, zk } = store
  const holding = yield* Effect.catch(claim(zk, mark, store.onDisconnect, scope), (error) =>
    // The mark has gone with its session.
    Effect.flatMap(isRenewed(zk, error), (renewed) => (renewed ? Effect.undefined : Effect.fail(error)))
  )
  if (holding === undefined) return undefined
  const item = yield* data.decode(path, found.data)
  yield* Scope.addFinalizer(
    scope,
    Effect.sync(() => {
      forget(store)
      holding.giveUp(releaseOf(zk))
    })
  )
  const settle = (more: ReadonlyArray<Op.Write>) =>
    Effect.andThen(
      finish(store, holding, Op.delete(path, { version }), mark, more),
      Effect.sync(() => {
        // The mark has gone with the item.
        fate.isSettled = true
        holding.giveUp("released")
      })
    )
  const again = Op.create(ZnodePath.join(places.items, store.naming.prefix(entry.priority)), {
    mode: "persistentSequential",
    data: found.data,
    acl: store.acl
  })
  const { isLost, lost } = holding
  const attempt = found.stat.version + 1
  const taken: Taken<A> & Guarding = { item, path, attempt, lost, isLost, ack: settle([]), requeue: settle([again]) }
  return taken
})

// ---- internal: finishing

/**
 * Item and mark go in one transaction, if the item is at the version of our own take and the mark is ours. A lost reply asks
 * again: when the mark is gone then, it was ours to go if the item is gone too.
 */
const finish = Effect.fnUntraced(function* <A>(
  { zk }: Store<A>,
  holding: Holding,
  item: Op.Delete,
  mark: string,
  more: ReadonlyArray<Op.Write>
): Effect.fn.Return<void, LockLost | RecipeError> {
  const { path } = item
  const session = zk.session.id
  let isOpen = false
  const losses = Outcome.totalLosses()
  const isDone = Effect.fnUntraced(function* (
    reason: LockLost["reason"]
  ): Effect.fn.Return<void, LockLost | RecipeError> {
    const look = acrossSessions(zk, Effect.andThen(zk.sync(path), zk.stat(path)))
    // The mark of a session that is over went with it: another may have had the item since, and put it back.
    if (isOpen && Option.isNone(yield* look) && zk.session.id === session) return
    return yield* holding.giveUp(reason)
  })
  while (true) {
    if (holding.isLost()) return yield* isDone("session")
    // A mark of this name may be another's by then: of a consumer that leaves the version of the item alone, as those of
    // other clients do.
    const standing = yield* acrossSessions(zk, zk.stat(mark))
    if (Option.isNone(standing) || standing.value.czxid !== holding.fencingToken) return yield* isDone("deleted")
    const sent = yield* Effect.result(holding.transaction([item, Op.delete(mark), ...more]))
    if (Result.isSuccess(sent)) return
    const error = sent.failure
    if (error._tag === "LockLost") return yield* isDone("deleted")
    if (error._tag === "TransactionFailed") {
      if (isAboutZnodes(error.error)) return yield* isDone("deleted")
      return yield* Effect.fail(error.error)
    }
    if (Outcome.mayBeApplied(error)) {
      isOpen = true
      losses.add(error)
      if (error._tag === "ConnectionLoss" && losses.isGivenUp) return yield* losses.told(error)
    } else if (Outcome.isLost(error) || Outcome.isTransient(error)) yield* pause(100)
    else if (yield* isRenewed(zk, error)) return yield* isDone("session")
    else return yield* Effect.fail(error)
  }
})

// ---- internal: looking

/** The items that nobody works on, first come first. */
const listFree = <A>(store: Store<A>): Effect.Effect<ReadonlyArray<Entry>, RecipeError> =>
  Effect.flatMap(list(store), (entries) =>
    entries.length === 0
      ? Effect.succeed(entries)
      : Effect.map(childrenOf(store.zk, store.places.taken), (marks) => without(entries, marks))
  )

const without = (entries: ReadonlyArray<Entry>, marks: ReadonlyArray<string>): ReadonlyArray<Entry> => {
  const taken = new Set(marks)
  return entries.filter(({ name }) => !taken.has(name))
}

/** Waits for an item that nobody works on: a new one, or one that is given back. */
const awaitFree = <A>(store: Store<A>): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { acl, naming, places, zk } = store
      const items = yield* watchChildren(zk, places.items, makeItems(store))
      const marks = yield* watchChildren(zk, places.taken, ensure(zk, places.taken, acl))
      if (items === undefined || marks === undefined) return
      if (without(entriesOf(items.children, naming), marks.children).length > 0) return
      yield* Effect.raceFirst(Fiber.join(items.changing), Fiber.join(marks.changing))
    })
  ).pipe((waiting) => untilRenewed(store.zk, waiting))
