/** Resources that an error or an interruption of their constructor gives back at once. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/** Runs in a child of the present Scope, which is closed at once if the effect fails or is interrupted. */
export const ownScope = <A, E, R>(
  make: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const own = yield* Scope.fork(yield* Effect.scope)
      const exit = yield* Effect.exit(Effect.provideService(restore(make), Scope.Scope, own))
      if (Exit.isFailure(exit)) yield* Scope.close(own, exit)
      return yield* exit
    })
  )
