import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** Ends an effect from outside. `outcome` becomes its result, and runs when the effect has cleaned up. */
export type Cancel<A> = (outcome: () => A) => void

/**
 * Runs an effect that can be ended from outside, in a fiber of its own that is interrupted then. A race would take a fiber
 * for each cause that may end it.
 */
export const cancellable = <A, E, R>(make: (cancel: Cancel<A>) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWith((context) =>
    Effect.callback((resume) => {
      let outcome: (() => A) | undefined
      let hasEnded = false
      const running: { fiber?: Fiber.Fiber<A, E> } = {}
      const cancel: Cancel<A> = (result) => {
        if (outcome !== undefined || hasEnded) return
        outcome = result
        running.fiber?.interruptUnsafe()
      }
      const fiber = Effect.runForkWith(context)(make(cancel))
      running.fiber = fiber
      // It may have been ended before it was known.
      if (outcome !== undefined) fiber.interruptUnsafe()
      fiber.addObserver((exit) => {
        hasEnded = true
        resume(outcome === undefined ? exit : Effect.sync(outcome))
      })
      return Fiber.interrupt(fiber)
    })
  )
