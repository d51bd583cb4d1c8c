/**
 * Owning the assigned items: one fiber gives up and acquires locks until the held items are the assigned ones.
 *
 * The order keeps an item from having two owners: first the users of an item are notified and waited for; then its lock is
 * given up; and only then is anything acquired.
 */
import { acquireForked } from "@effect-zookeeper/client/Detached"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { DataInvalid, LockLost, RecipeError } from "../Errors.ts"
import type { Held } from "../Held.ts"
import type { Lock } from "../Lock.ts"
import { guard, type LossSignal } from "./locks/ownership.ts"
import { makeBackoff } from "./shared/backoff.ts"
import { endWhenClosed } from "./shared/retry.ts"

/**
 * Assigns items to members. All members have to compute the same: the function must use nothing but its arguments, which
 * are sorted, and give each item to one member at most.
 *
 * @category models
 * @since 0.1.0
 */
export type Assign = (
  members: ReadonlyArray<string>,
  items: ReadonlyArray<string>
) => ReadonlyMap<string, ReadonlyArray<string>>

/**
 * Errors that end an allocator, and every effect that runs under it.
 *
 * @category errors
 * @since 0.1.0
 */
export type AllocatorError = RecipeError | DataInvalid

/** The items, the members, and the lock of an item. */
interface AllocationInputs {
  /** This member. */
  readonly id: string
  readonly assign: Assign
  readonly members: Stream.Stream<ReadonlyArray<string>, AllocatorError>
  readonly items: Stream.Stream<ReadonlyArray<string>, AllocatorError>
  /** Completes as soon as the session is being closed. */
  readonly closing: Effect.Effect<void>
  readonly lockOf: (item: string) => Effect.Effect<Lock, InvalidArgument, Scope.Scope>
}

export interface Allocation {
  readonly allocation: () => ReadonlyArray<string>
  readonly changes: Stream.Stream<ReadonlyArray<string>, AllocatorError>
  readonly held: (item: string) => Option.Option<Held>
  readonly whileAllocated: <A, E, R>(
    f: (items: ReadonlyArray<string>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<never, E | AllocatorError, R>
}

/** Owns the assigned items, until the Scope closes. */
export const make = Effect.fnUntraced(function* (
  inputs: AllocationInputs
): Effect.fn.Return<Allocation, never, Scope.Scope> {
  const state = yield* SubscriptionRef.make<State>({ items: [], end: undefined })
  const self: Self = {
    ...inputs,
    state,
    changed: Latch.makeUnsafe(),
    inputs: { members: undefined, items: undefined },
    target: [],
    held: new Map(),
    lost: new Map(),
    ending: [],
    users: new Set()
  }
  yield* Effect.acquireRelease(Effect.forkDetach(runAllocation(self), { startImmediately: true }), (owning) => {
    const ending = Effect.andThen(Fiber.interrupt(owning), end(self, Exit.fail(new SessionClosed())))
    // Users may take their time; a close of the session waits for them by itself.
    return Effect.flatMap(Effect.forkDetach(ending, { startImmediately: true }), (fiber) =>
      Effect.raceFirst(Effect.asVoid(Fiber.await(fiber)), inputs.closing)
    )
  })
  return {
    allocation: () => SubscriptionRef.getUnsafe(state).items,
    changes: SubscriptionRef.changes(state).pipe(
      Stream.mapEffect(({ end, items }) => (end === undefined ? Effect.succeed(items) : end)),
      endWhenClosed
    ),
    held: (item) =>
      Option.map(
        Option.fromUndefinedOr(SubscriptionRef.getUnsafe(state).items.includes(item) ? self.held.get(item) : undefined),
        ({ held }) => held
      ),
    whileAllocated: (f) => whileAllocated(self, f)
  }
})

// -----------------------------------------------------------------------------
// state
// -----------------------------------------------------------------------------

/** The state that users see. A new object for each allocation. */
interface State {
  readonly items: ReadonlyArray<string>
  /** Why no allocation will follow. */
  readonly end: Exit.Exit<never, AllocatorError> | undefined
}

interface Self extends AllocationInputs {
  readonly state: SubscriptionRef.SubscriptionRef<State>
  /** Open when the held items may not be the assigned ones. */
  readonly changed: Latch.Latch
  /** The latest values. */
  inputs: {
    readonly members: ReadonlyArray<string> | undefined
    readonly items: ReadonlyArray<string> | undefined
  }
  /** The items that should be held. */
  target: ReadonlyArray<string>
  readonly held: Map<string, OwnedItem>
  /** Of items that were lost: the pauses before they are acquired again. */
  readonly lost: Map<string, Effect.Effect<void>>
  /** Items to give up as soon as their users have stopped. */
  readonly ending: Array<OwnedItem>
  readonly users: Set<User>
}

interface OwnedItem {
  readonly held: Held
  /** Of its lock. */
  readonly scope: Scope.Closeable
}

interface User {
  readonly state: State
  readonly done: Deferred.Deferred<void>
}

/** Publishes the items that users may use from now on: the held ones among the assigned, or the rest of what they had. */
const notify = ({ held, state, target }: Self, extent: "all" | "less"): Effect.Effect<void> =>
  SubscriptionRef.updateSome(state, (told) => {
    const items = target.filter((item) => held.has(item) && (extent === "all" || told.items.includes(item)))
    const isSame = items.length === told.items.length && items.every((item, index) => item === told.items[index])
    return isSame || told.end !== undefined ? Option.none() : Option.some({ items, end: undefined })
  })

/** Waits for the users of earlier allocations. */
const awaitUsers = ({ state, users }: Self): Effect.Effect<void> =>
  Effect.suspend(() => {
    const now = SubscriptionRef.getUnsafe(state)
    return Effect.forEach(
      [...users].filter((user) => user.state !== now),
      ({ done }) => Deferred.await(done),
      { discard: true }
    )
  })

// -----------------------------------------------------------------------------
// owning
// -----------------------------------------------------------------------------

const runAllocation = (self: Self): Effect.Effect<void> => {
  const updateInputs = (what: Partial<Self["inputs"]>) =>
    Effect.sync(() => {
      self.inputs = { ...self.inputs, ...what }
      self.target = targetOf(self)
      self.changed.openUnsafe()
    })
  return Effect.raceAllFirst([
    Stream.runForEach(self.members, (members) => updateInputs({ members })),
    Stream.runForEach(self.items, (items) => updateInputs({ items })),
    Effect.forever(step(self))
  ]).pipe(
    // All of them run until the session ends.
    Effect.andThen(Effect.fail(new SessionClosed())),
    Effect.onExit((exit) => (Exit.hasInterrupts(exit) ? Effect.void : end(self, exit))),
    Effect.ignoreCause
  )
}

const targetOf = ({ assign, inputs: { items, members }, id }: Self): ReadonlyArray<string> => {
  if (items === undefined || members === undefined || members.length === 0) return []
  const assigned = new Set(assign(members, items).get(id))
  return items.filter((item) => assigned.has(item))
}

/** One step towards the target, or the wait for another target. */
const step = Effect.fnUntraced(function* (self: Self) {
  const { changed, held, lost, target } = self
  changed.closeUnsafe()
  for (const item of lost.keys()) if (!target.includes(item)) lost.delete(item)
  for (const [item, owned] of held) {
    if (!target.includes(item)) giveUp(self, item, owned)
  }
  if (self.ending.length > 0) {
    yield* notify(self, "less")
    yield* awaitUsers(self)
    yield* release(self)
  }
  const missing = target.filter((item) => !held.has(item))
  if (missing.length > 0) {
    // If something changes meanwhile, the next step goes on with the locks that have been acquired by then.
    const all = Effect.forEach(missing, (item) => acquire(self, item), { concurrency: "unbounded", discard: true })
    yield* Effect.raceFirst(all, changed.await)
  }
  if (changed.isOpen()) return
  yield* notify(self, "all")
  yield* changed.await
})

const acquire = (self: Self, item: string) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const pause = self.lost.get(item)
      if (pause !== undefined) yield* restore(pause)
      const scope = yield* Scope.make()
      const locking = Effect.flatMap(self.lockOf(item), (lock) => restore(lock.acquire()))
      const held = yield* Effect.provideService(
        acquireForked(() => locking),
        Scope.Scope,
        scope
      )
      const owned: OwnedItem = { held, scope }
      self.held.set(item, owned)
      const watching = Effect.catch(owned.held.lost, ({ reason }) => lose(self, item, owned, reason))
      yield* Effect.forkIn(watching, scope, { startImmediately: true })
    })
  ).pipe(Effect.catchTag("LockTimeout", Effect.die))

const giveUp = (self: Self, item: string, owned: OwnedItem): void => {
  self.held.delete(item)
  self.ending.push(owned)
}

/** Notifies users at once; the znode, which may still be there, is deleted when they have stopped. */
const lose = (self: Self, item: string, owned: OwnedItem, reason: LockLost["reason"]): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (self.held.get(item) !== owned) return Effect.void
    // A loss of the session is a loss of all items: users are notified once.
    const lost: ReadonlyArray<readonly [string, OwnedItem]> = reason === "deleted" ? [[item, owned]] : [...self.held]
    for (const [item, owned] of lost) giveUp(self, item, owned)
    self.changed.openUnsafe()
    return Effect.andThen(
      Effect.forEach(lost, ([item]) => notePause(self, item), { discard: true }),
      notify(self, "less")
    )
  })

/** The first time after a loss an item is acquired at once, and then with growing pauses. */
const notePause = ({ lost }: Self, item: string): Effect.Effect<void> =>
  lost.has(item) ? Effect.void : Effect.map(makeBackoff, (pause) => void lost.set(item, pause))

/** Gives up the locks of items that are no longer used. */
const release = ({ ending }: Self): Effect.Effect<void> =>
  Effect.uninterruptible(
    Effect.suspend(() =>
      Effect.forEach(ending.splice(0), ({ scope }) => Scope.close(scope, Exit.void), {
        concurrency: "unbounded",
        discard: true
      })
    )
  )

/** Owns nothing from now on. */
const end = (self: Self, exit: Exit.Exit<never, AllocatorError>): Effect.Effect<void> =>
  Effect.suspend(() => {
    for (const [item, owned] of self.held) giveUp(self, item, owned)
    return SubscriptionRef.updateSome(self.state, (told) =>
      told.end === undefined ? Option.some({ items: [], end: exit }) : Option.none()
    )
  }).pipe(Effect.andThen(awaitUsers(self)), Effect.andThen(release(self)))

// -----------------------------------------------------------------------------
// using
// -----------------------------------------------------------------------------

const whileAllocated = <A, E, R>(
  self: Self,
  f: (items: ReadonlyArray<string>) => Effect.Effect<A, E, R>
): Effect.Effect<never, E | AllocatorError, R> =>
  Effect.forever(
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const state = SubscriptionRef.getUnsafe(self.state)
        if (state.end !== undefined) return yield* state.end
        const changed = restore(awaitOtherState(self, state))
        if (state.items.length === 0) return yield* changed
        const user: User = { state, done: Deferred.makeUnsafe() }
        self.users.add(user)
        const exit = yield* Effect.exit(
          restore(
            Effect.raceFirst(
              awaitOtherState(self, state),
              guard(
                clockSignal(self, state),
                Effect.suspend(() => f(state.items))
              )
            )
          )
        )
        self.users.delete(user)
        Deferred.doneUnsafe(user.done, Effect.void)
        if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
        yield* changed
      })
    )
  )

/** The state reports a loss together with its consequences; only the clocks may know of it earlier. */
const clockSignal = ({ held }: Self, { items }: State): LossSignal<never> => {
  const used: ReadonlyArray<LossSignal> = items.flatMap((item) => held.get(item)?.held ?? [])
  return { lost: Effect.never, isLost: (isFresh) => used.some(({ isLost }) => isLost?.(isFresh) === true) }
}

/** Waits until users get another allocation. */
const awaitOtherState = ({ state }: Self, known: State): Effect.Effect<void> =>
  SubscriptionRef.changes(state).pipe(
    Stream.takeUntil((now) => now !== known),
    Stream.runDrain
  )
