/**
 * The one way in which recipes acquire something that an error or an interruption has to undo at once.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/** Makes a part of an uninterruptible region interruptible again. */
type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Runs `acquire` in a Scope of its own, a child of the present one: closed at once if it fails, is interrupted, or gives a
 * value that is not to be kept. `acquire` is uninterruptible except where it restores.
 */
export const acquireForked = <A, E, R>(
  acquire: (restore: Restore, own: Scope.Closeable) => Effect.Effect<A, E, R>,
  isKept: (value: A) => boolean = () => true
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const own = yield* Scope.fork(yield* Effect.scope)
      const exit = yield* Effect.exit(Effect.provideService(acquire(restore, own), Scope.Scope, own))
      if (Exit.isFailure(exit) || !isKept(exit.value)) yield* Scope.close(own, exit)
      return yield* exit
    })
  )
