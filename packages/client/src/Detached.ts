/**
 * Effects whose success leaves something behind: a znode, a watch, or a resource of several parts. A caller that is
 * interrupted must not lose sight of it. For streams and recipes.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"

/**
 * Waits for an effect, interruptibly. Interrupting the wait does not stop the effect: between its success and the moment
 * in which the caller knows of it, an interruption could lose its result. The effect goes on, to its own end or the
 * session's, and `onLate` gets the result. Run it in an uninterruptible region, with the `restore` of that region.
 *
 * @category running
 * @since 0.1.0
 */
export const awaitDetached = <A, E, Late = never>(
  restore: <B, E2>(effect: Effect.Effect<B, E2>) => Effect.Effect<B, E2 | Late>,
  effect: Effect.Effect<A, E>,
  onLate: (value: A) => Effect.Effect<void>
): Effect.Effect<A, E | Late> =>
  Effect.flatMap(Effect.forkDetach(effect, { startImmediately: true, uninterruptible: true }), (fiber) => {
    const undo = () => {
      const undoing = Effect.flatMap(Fiber.await(fiber), (missed) =>
        Exit.isSuccess(missed) ? onLate(missed.value) : Effect.void
      )
      return Effect.asVoid(Effect.forkDetach(undoing, { startImmediately: true }))
    }
    return Effect.flatten(Effect.onError(restore(Fiber.await(fiber)), undo))
  })

/**
 * Reads with a watch, which is waited for from now on: closing the Scope drops it, and an interruption of the read leaves
 * none behind.
 *
 * @category running
 * @since 0.1.0
 */
export const watchScoped = <A extends { readonly changed: Effect.Effect<unknown, unknown> }, E>(
  read: Effect.Effect<A, E>
): Effect.Effect<A & { readonly nextChange: Fiber.Fiber<ChangeOf<A>, LossOf<A>> }, E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      // A watch is dropped at the end of a wait that has begun. So the wait begins at once, without yielding to other
      // fibers, even in a Scope that is closed.
      const wait = (seen: A) => {
        const changed = seen.changed as Effect.Effect<ChangeOf<A>, LossOf<A>>
        const waiting =
          scope.state._tag === "Closed"
            ? Effect.tap(Effect.forkDetach(changed, { startImmediately: true }), Fiber.interrupt)
            : Effect.forkIn(changed, scope, { startImmediately: true })
        return Effect.provideService(waiting, Scheduler.PreventSchedulerYield, true)
      }
      const seen = yield* awaitDetached(restore, read, (seen) => Effect.flatMap(wait(seen), Fiber.interrupt))
      return { ...seen, nextChange: yield* wait(seen) }
    })
  )

/**
 * Makes a part of an uninterruptible region interruptible again.
 *
 * @category models
 * @since 0.1.0
 */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Runs `acquire` in a Scope of its own, a child of the present one: closed at once if it fails, is interrupted, or gives a
 * value that is not to be kept. `acquire` is uninterruptible except where it restores.
 *
 * @category running
 * @since 0.1.0
 */
export const acquireForked = <A, E, R>(
  acquire: (restore: Restore, own: Scope.Closeable) => Effect.Effect<A, E, R>,
  isKept: (value: A) => boolean = () => true
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.flatMap(Effect.scope, Scope.fork), (own) =>
      Effect.onExit(Effect.provideService(acquire(restore, own), Scope.Scope, own), (exit) =>
        Exit.isSuccess(exit) && isKept(exit.value) ? Effect.void : Scope.close(own, exit)
      )
    )
  )

// ---- internal

type ChangeOf<A> = A extends { readonly changed: Effect.Effect<infer C, infer _E> } ? C : never
type LossOf<A> = A extends { readonly changed: Effect.Effect<infer _C, infer E> } ? E : never
