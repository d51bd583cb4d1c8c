/**
 * Effects that are one request and nothing else. Whoever has a fiber runs them like any other; a Promise API that has none begins
 * them itself, and is spared a fiber for each.
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** Begins, and calls `resume` once with the outcome, perhaps at once; `Session.requestUnsafe` says what it gives. */
export type StartRequest<A, E> = (
  resume: (exit: Exit.Exit<A, E>) => void,
  caller: Fiber.Fiber<unknown, unknown> | undefined
) => (() => void) | undefined

const TypeId = "~effect-zookeeper/client/DirectRequest"

/** An Effect that can be begun without a fiber. What it answers is plain: it looks the same on every API. */
interface DirectRequest<A, E> extends Effect.Effect<A, E> {
  [TypeId]?: StartRequest<A, E>
}

/** The Effect, which can also be begun by `start`. */
export const directRequest = <A, E>(effect: Effect.Effect<A, E>, start: StartRequest<A, E>): Effect.Effect<A, E> => {
  const self: DirectRequest<A, E> = effect
  self[TypeId] = start
  return self
}

/** How to begin an Effect without a fiber, if that can be done. */
export const startOf = <A, E, R>(effect: Effect.Effect<A, E, R>): StartRequest<A, E> | undefined =>
  TypeId in effect ? (effect as DirectRequest<A, E>)[TypeId] : undefined
