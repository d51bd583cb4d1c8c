/**
 * Acquire, guard, release: the one way in which recipes run an effect of the application under something held. What is held
 * already in this fiber tree is not acquired again.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { LockLost } from "../Errors.ts"
import type { Held } from "../Held.ts"
import { guard, type Holding } from "./holding.ts"

/** What makes two holds the same. */
export interface Holder {
  readonly zk: ZooKeeper.Service
  /** Of the lock, and beside it what distinguishes several at one path. */
  readonly path: string
}

/** An effect, or one that wants to know what is held. */
export type Guarded<A, E, R, H = Held> = Effect.Effect<A, E, R> | ((held: H) => Effect.Effect<A, E, R>)

/** Runs an effect while something is held, re-entrantly. */
export const using = <A, E, R, E2>(
  holder: Holder,
  acquire: Effect.Effect<Holding, E2, Scope.Scope>,
  guarded: Guarded<A, E, R>
): Effect.Effect<A, E | E2 | LockLost, R> =>
  Effect.flatMap(HeldHere, (here) => {
    const already = here.find(({ by, holding }) => by.zk === holder.zk && by.path === holder.path && !holding.isLost())
    if (already !== undefined) return effectOf(guarded, already.holding)
    return usingScoped(acquire, (holding) =>
      Effect.provideService(effectOf(guarded, holding), HeldHere, [...here, { by: holder, holding }])
    )
  })

/** Runs an effect while something is held: the Scope of the hold is not the effect's. */
export const usingScoped = <A, E, R, H extends Held, E2>(
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

/** What this fiber, and those that it was forked from, hold. */
const HeldHere = Context.Reference<ReadonlyArray<{ readonly by: Holder; readonly holding: Holding }>>(
  "@effect-zookeeper/recipes/HeldHere",
  { defaultValue: () => [] }
)
