/**
 * Acquire, guard, release: the one way in which recipes run an effect of the application under something held. A fiber
 * tree that holds it already does not acquire it again.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import type { LockLost } from "../../Errors.ts"
import type { Held } from "../../Held.ts"
import { guard, type LossSignal, type Ownership } from "./ownership.ts"

/** Two holds with equal keys are the same. */
interface OwnershipKey {
  readonly zk: ZooKeeper.Service
  readonly path: string
  /** `lock`, `read` or `write`. */
  readonly kind: string
}

/** An effect, or a function that gets what is held. */
export type Guarded<A, E, R, H = Held> = Effect.Effect<A, E, R> | ((held: H) => Effect.Effect<A, E, R>)

/**
 * Runs an effect while something is held, re-entrantly: where this fiber tree holds it already, the effect runs under that
 * hold for as long as it lasts.
 */
export const guardReentrant = <A, E, R, E2>(
  key: OwnershipKey,
  acquire: Effect.Effect<Ownership, E2, Scope.Scope>,
  guarded: Guarded<A, E, R>
): Effect.Effect<A, E | E2 | LockLost, R> =>
  Effect.flatMap(HeldByFiber, (entries) => {
    const existing = findEntry(entries, key)
    if (existing !== undefined) return runReentrant(existing, toEffect(guarded, existing.ownership))
    const enter = Effect.map(acquire, (ownership): Entry => {
      return {
        key,
        ownership,
        lost: ownership.lost,
        isLost: ownership.isLost,
        reentrantCount: 0,
        drained: Latch.makeUnsafe()
      }
    })
    return guardScoped(
      Effect.tap(enter, (entry) => Effect.addFinalizer(() => interruptReentrant(entry))),
      (entry) => Effect.provideService(toEffect(guarded, entry.ownership), HeldByFiber, [...entries, entry])
    )
  })

/** The hold of this fiber tree, if it has one. */
export const heldByFiber = (key: OwnershipKey): Effect.Effect<Ownership | undefined> =>
  Effect.map(HeldByFiber, (entries) => findEntry(entries, key)?.ownership)

/** Runs an effect while something is held: the Scope of the hold is not the effect's. */
export const guardScoped = <A, E, R, H extends LossSignal, E2>(
  acquire: Effect.Effect<H, E2, Scope.Scope>,
  use: (held: H) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2 | LockLost, R> => useScoped(acquire, (held) => guard(held, use(held)))

/** Acquires in a Scope that is closed after the use, and that the use does not see. */
export const useScoped = <A, E, R, H, E2>(
  acquire: Effect.Effect<H, E2, Scope.Scope>,
  use: (held: H) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) => Effect.flatMap(Effect.provideService(acquire, Scope.Scope, scope), use),
    (scope, exit) => Scope.close(scope, exit)
  )

/** The effect that the application gave, applied to what is held. */
export const toEffect = <A, E, R, H = Held>(guarded: Guarded<A, E, R, H>, held: H): Effect.Effect<A, E, R> =>
  Effect.isEffect(guarded) ? guarded : Effect.suspend(() => guarded(held))

// ---- internal

interface Entry {
  readonly key: OwnershipKey
  readonly ownership: Ownership
  readonly lost: Held["lost"]
  readonly isLost: () => boolean
  /** How many effects run under this hold beside or within the one that it was acquired for. */
  reentrantCount: number
  /** Opened when the last of them has ended after the loss. */
  readonly drained: Latch.Latch
}

const findEntry = (entries: ReadonlyArray<Entry>, { kind, path, zk }: OwnershipKey): Entry | undefined =>
  entries.find(({ key, ownership }) => key.zk === zk && key.path === path && key.kind === kind && !ownership.isLost())

const runReentrant = <A, E, R>(entry: Entry, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | LockLost, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      entry.reentrantCount++
    }),
    () => guard(entry.ownership, effect),
    () =>
      Effect.sync(() => {
        if (--entry.reentrantCount === 0 && entry.ownership.isLost()) entry.drained.openUnsafe()
      })
  )

/**
 * Interrupts re-entrant effects that outlive the one that acquired the hold, such as forked fibers, and waits for them:
 * only then may other clients have it.
 */
const interruptReentrant = (entry: Entry): Effect.Effect<void> =>
  Effect.suspend(() => {
    entry.ownership.markLost("released")
    return entry.reentrantCount === 0 ? Effect.void : entry.drained.await
  })

/** The holds of this fiber and of the fibers that it was forked from. */
const HeldByFiber = Context.Reference<ReadonlyArray<Entry>>("@effect-zookeeper/recipes/HeldByFiber", {
  defaultValue: () => []
})
