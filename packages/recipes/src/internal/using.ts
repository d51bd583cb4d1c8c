/**
 * Acquire, guard, release: the one way in which recipes run an effect of the application under something held. What is held
 * already in this fiber tree is not acquired again.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import type { LockLost } from "../Errors.ts"
import type { Held } from "../Held.ts"
import { guard, type Guarding, type Holding } from "./holding.ts"

/** What makes two holds the same. */
export interface Holder {
  readonly zk: ZooKeeper.Service
  readonly path: string
  /** What is held there: `lock`, `read`, `write`. */
  readonly kind: string
}

/** An effect, or one that wants to know what is held. */
export type Guarded<A, E, R, H = Held> = Effect.Effect<A, E, R> | ((held: H) => Effect.Effect<A, E, R>)

/**
 * Runs an effect while something is held, re-entrantly: who holds it already in this fiber tree runs the effect as its guest,
 * for as long as it is held.
 */
export const using = <A, E, R, E2>(
  holder: Holder,
  acquire: Effect.Effect<Holding, E2, Scope.Scope>,
  guarded: Guarded<A, E, R>
): Effect.Effect<A, E | E2 | LockLost, R> =>
  Effect.flatMap(HeldHere, (here) => {
    const already = entryOf(here, holder)
    if (already !== undefined) return asGuest(already, effectOf(guarded, already.holding))
    const enter = Effect.map(acquire, (holding): Entry => {
      return { by: holder, holding, lost: holding.lost, isLost: holding.isLost, guests: 0, gone: Latch.makeUnsafe() }
    })
    return usingScoped(
      Effect.tap(enter, (entry) => Effect.addFinalizer(() => sendOff(entry))),
      (entry) => Effect.provideService(effectOf(guarded, entry.holding), HeldHere, [...here, entry])
    )
  })

/** What this fiber tree holds of it. */
export const heldHere = (holder: Holder): Effect.Effect<Holding | undefined> =>
  Effect.map(HeldHere, (here) => entryOf(here, holder)?.holding)

/** Runs an effect while something is held: the Scope of the hold is not the effect's. */
export const usingScoped = <A, E, R, H extends Guarding, E2>(
  acquire: Effect.Effect<H, E2, Scope.Scope>,
  use: (held: H) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2 | LockLost, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) => Effect.flatMap(Effect.provideService(acquire, Scope.Scope, scope), (held) => guard(held, use(held))),
    (scope, exit) => Scope.close(scope, exit)
  )

/** What the application gave, as an effect. */
export const effectOf = <A, E, R, H = Held>(guarded: Guarded<A, E, R, H>, held: H): Effect.Effect<A, E, R> =>
  Effect.isEffect(guarded) ? guarded : Effect.suspend(() => guarded(held))

// ---- internal

interface Entry {
  readonly by: Holder
  readonly holding: Holding
  readonly lost: Held["lost"]
  readonly isLost: () => boolean
  /** How many run by it beside the effect that it was acquired for, or within it. */
  guests: number
  /** Opened when the last of them has gone after the loss. */
  readonly gone: Latch.Latch
}

const entryOf = (here: ReadonlyArray<Entry>, { kind, path, zk }: Holder): Entry | undefined =>
  here.find(({ by, holding }) => by.zk === zk && by.path === path && by.kind === kind && !holding.isLost())

const asGuest = <A, E, R>(entry: Entry, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | LockLost, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      entry.guests++
    }),
    () => guard(entry.holding, effect),
    () =>
      Effect.sync(() => {
        if (--entry.guests === 0 && entry.holding.isLost()) entry.gone.openUnsafe()
      })
  )

/** Interrupts the guests that outlive their host, fibers that were forked to go on, and waits for them: then others may have it. */
const sendOff = (entry: Entry): Effect.Effect<void> =>
  Effect.suspend(() => {
    entry.holding.giveUp("released")
    return entry.guests === 0 ? Effect.void : entry.gone.await
  })

/** What this fiber, and those that it was forked from, hold. */
const HeldHere = Context.Reference<ReadonlyArray<Entry>>("@effect-zookeeper/recipes/HeldHere", {
  defaultValue: () => []
})
