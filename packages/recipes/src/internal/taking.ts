/**
 * Items taken with a lock: a mark stands beside the item while somebody works on it, and goes with that session. Done, item
 * and mark go in one transaction; given up or lost, the mark alone goes, and the item is there for others again.
 */
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { LockLost, RecipeError } from "../Errors.ts"
import { pause } from "./compareAndSet.ts"
import { entriesOf, type Entry } from "./entries.ts"
import { claim, guard, type Guarding, type Holding, leave } from "./holding.ts"
import { ensure } from "./line.ts"
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
  /** Never succeeds. Fails when the item is no longer ours: others may have it; and when it is done or given back. */
  readonly lost: Effect.Effect<never, LockLost>
  /** It is done, and goes. */
  readonly ack: Effect.Effect<void, LockLost | RecipeError>
  /** It goes to the end of the queue, or of those of its priority. */
  readonly requeue: Effect.Effect<void, LockLost | RecipeError>
}

/** Takes the first item that nobody works on, waited for; given back when the Scope closes, unless it is done. */
export const takeWithLock = <A>(store: Store<A>): Effect.Effect<Taken<A>, TakeError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { places, zk } = store
      const scope = yield* Effect.scope
      const id = yield* Guid.make
      while (true) {
        const free = yield* restore(listFree(store))
        for (const entry of free) {
          const mark = ZnodePath.join(places.taken, entry.name)
          const isMarked = yield* inHand(restore, put(store, mark, id), (isMarked) =>
            isMarked ? takeAway(zk, mark, id) : Effect.void
          )
          if (!isMarked) continue
          const standing = yield* Scope.fork(scope)
          const fate = { isSettled: false }
          yield* Scope.addFinalizer(
            standing,
            Effect.suspend(() => (fate.isSettled ? Effect.void : takeAway(zk, mark, id)))
          )
          const exit = yield* Effect.exit(restore(open(store, entry, mark, fate, standing)))
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

// ---- internal: marking

/** Puts a mark; false when another's stands there. */
const put = <A>({ acl, places, zk }: Store<A>, mark: string, id: string): Effect.Effect<boolean, RecipeError> => {
  const once: Effect.Effect<boolean, RecipeError> = acrossSessions(
    zk,
    zk.create(mark, { mode: "ephemeral", data: id, acl, idempotent: true })
  ).pipe(
    Effect.as(true),
    Effect.catchTag("NoNode", () => Effect.andThen(ensure(zk, places.taken, acl), once)),
    // It may be ours, of an attempt that could not be told about.
    Effect.catchTag("NodeExists", () => Effect.map(find(zk, mark), (found) => found !== undefined && isBy(found, id)))
  )
  return once
}

/** Takes a mark away if it is ours: another's may stand in its place by then. Waits for it a second at most. */
const takeAway = (zk: ZooKeeper.Service, mark: string, id: string): Effect.Effect<void> =>
  takeOwnAway(zk, mark, id).pipe(
    // Who may not look may not be left with what stands in others' way; a session that has ended took it along.
    Effect.catch((error) => (error._tag === "NoAuth" ? leave(zk, mark) : Effect.void)),
    Effect.forkDetach({ startImmediately: true, uninterruptible: true }),
    Effect.flatMap((fiber) => Effect.timeoutOption(Fiber.await(fiber), "1 second")),
    Effect.asVoid
  )

/** Looks again before each attempt: a delete that is repeated blindly would hit the mark of whoever came since. */
const takeOwnAway = (zk: ZooKeeper.Service, mark: string, id: string) =>
  Effect.suspend(() => {
    let isAgain = false
    const attempt = Effect.gen(function* () {
      // A server that lags would show what a lost reply was about.
      if (isAgain) yield* zk.sync(mark)
      isAgain = true
      const found = yield* zk.get(mark)
      if (isBy(found, id) && found.stat.ephemeralOwner === zk.session.id) yield* zk.delete(mark)
    })
    return Effect.catchTag(acrossSessions(zk, attempt), ["NoNode", "BadVersion", "NotEmpty"], () => Effect.void)
  })

const isBy = (found: DataAndStat, id: string): boolean => new TextDecoder().decode(found.data) === id

/** What was marked, claimed and read; undefined when it is done with already, or the mark was not ours after all. */
const open = Effect.fnUntraced(function* <A>(
  store: Store<A>,
  entry: Entry,
  mark: string,
  fate: { isSettled: boolean },
  scope: Scope.Scope
): Effect.fn.Return<Taken<A> | undefined, TakeError> {
  const { data, places, zk } = store
  const path = ZnodePath.join(places.items, entry.name)
  const holding = yield* Effect.catch(claim(zk, mark, store.onDisconnect, scope), (error) =>
    // The mark has gone with its session.
    Effect.flatMap(isRenewed(zk, error), (renewed) => (renewed ? Effect.undefined : Effect.fail(error)))
  )
  if (holding === undefined) return undefined
  const found = yield* find(zk, path)
  // The answer may have come in another session.
  if (found === undefined || holding.isLost()) return undefined
  const item = yield* data.decode(path, found.data)
  yield* Scope.addFinalizer(
    scope,
    Effect.sync(() => {
      forget(store)
      holding.giveUp("released")
    })
  )
  const settle = (more: ReadonlyArray<Op.Write>) =>
    Effect.andThen(
      finish(store, holding, path, mark, more),
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
  const taken: Taken<A> & Guarding = { item, path, lost, isLost, ack: settle([]), requeue: settle([again]) }
  return taken
})

// ---- internal: finishing

/**
 * Item and mark go in one transaction, if the mark is ours. A lost reply asks again: when the mark is gone then, it was ours
 * to go if the item is gone too.
 */
const finish = Effect.fnUntraced(function* <A>(
  { zk }: Store<A>,
  holding: Holding,
  path: string,
  mark: string,
  more: ReadonlyArray<Op.Write>
): Effect.fn.Return<void, LockLost | RecipeError> {
  const session = zk.session.id
  let isOpen = false
  const isDone = Effect.fnUntraced(function* (
    reason: LockLost["reason"]
  ): Effect.fn.Return<void, LockLost | RecipeError> {
    const look = acrossSessions(zk, Effect.andThen(zk.sync(path), zk.stat(path)))
    // The mark of a session that is over went with it: another may have had the item since, and put it back.
    if (isOpen && Option.isNone(yield* look) && zk.session.id === session) return
    return yield* holding.giveUp(reason)
  })
  while (true) {
    // A mark of this name may be another's by then.
    if (holding.isLost()) return yield* isDone("session")
    const sent = yield* Effect.result(holding.transaction([Op.delete(path), Op.delete(mark), ...more]))
    if (Result.isSuccess(sent)) return
    const error = sent.failure
    if (error._tag === "LockLost") return yield* isDone("deleted")
    if (error._tag === "TransactionFailed") {
      if (isAboutZnodes(error.error)) return yield* isDone("deleted")
      return yield* Effect.fail(error.error)
    }
    if (Outcome.mayBeApplied(error)) isOpen = true
    else if (Outcome.isLost(error) || Outcome.isTransient(error)) yield* pause(100)
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
