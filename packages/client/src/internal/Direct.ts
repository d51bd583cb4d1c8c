/**
 * Effects that are one request and nothing else. Whoever has a fiber runs them like any other; a face that has none begins
 * them itself, and is spared a fiber for each.
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** Begins, and calls `resume` once with the outcome, perhaps at once; `Session.begin` says what it gives. */
export type Begin<A, E> = (
  resume: (exit: Exit.Exit<A, E>) => void,
  caller: Fiber.Fiber<unknown, unknown> | undefined
) => (() => void) | undefined

const TypeId = "~effect-zookeeper/client/Direct"

/** An Effect that can be begun without a fiber. What it answers is plain: it looks the same on every face. */
interface Direct<A, E> extends Effect.Effect<A, E> {
  [TypeId]?: Begin<A, E>
}

/** The Effect, which can also be begun by `begin`. */
export const direct = <A, E>(effect: Effect.Effect<A, E>, begin: Begin<A, E>): Effect.Effect<A, E> => {
  const self: Direct<A, E> = effect
  self[TypeId] = begin
  return self
}

/** How to begin an Effect without a fiber, if that can be done. */
export const beginOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Begin<A, E> | undefined =>
  TypeId in effect ? (effect as Direct<A, E>)[TypeId] : undefined
