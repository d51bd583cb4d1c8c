/**
 * Effects that are a single request. They run on a fiber like any other Effect. The Promise API starts them without one,
 * which saves a fiber for each call.
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** Starts, and calls `resume` once with the outcome, perhaps at once. Gives what `Session.requestUnsafe` gives. */
export type StartRequest<A, E> = (
  resume: (exit: Exit.Exit<A, E>) => void,
  caller: Fiber.Fiber<unknown, unknown> | undefined
) => (() => void) | undefined

const TypeId = "~effect-zookeeper/client/DirectRequest"

/** An Effect that can be started without a fiber. Its answer is plain data, which is the same in both APIs. */
interface DirectRequest<A, E> extends Effect.Effect<A, E> {
  [TypeId]?: StartRequest<A, E>
}

/** The Effect, which `start` can also start without a fiber. */
export const directRequest = <A, E>(effect: Effect.Effect<A, E>, start: StartRequest<A, E>): Effect.Effect<A, E> => {
  const self: DirectRequest<A, E> = effect
  self[TypeId] = start
  return self
}

/** The function that starts the Effect without a fiber, if it has one. */
export const startOf = <A, E, R>(effect: Effect.Effect<A, E, R>): StartRequest<A, E> | undefined =>
  TypeId in effect ? (effect as DirectRequest<A, E>)[TypeId] : undefined
