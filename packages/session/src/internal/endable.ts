import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** Ends an effect from outside with what it is then to give; asked for when the effect has cleaned up. */
export type End<A> = (answer: () => A) => void

/**
 * Runs an effect that can be ended from outside: in a fiber of its own, which is interrupted then. What a race against
 * all that may end it takes a fiber each for.
 */
export const endable = <A, E, R>(make: (end: End<A>) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWith((context) =>
    Effect.callback((resume) => {
      let answer: (() => A) | undefined
      let isOver = false
      const running: { fiber?: Fiber.Fiber<A, E> } = {}
      const end: End<A> = (given) => {
        if (answer !== undefined || isOver) return
        answer = given
        running.fiber?.interruptUnsafe()
      }
      const fiber = Effect.runForkWith(context)(make(end))
      running.fiber = fiber
      // It may have been ended before it was known.
      if (answer !== undefined) fiber.interruptUnsafe()
      fiber.addObserver((exit) => {
        isOver = true
        resume(answer === undefined ? exit : Effect.sync(answer))
      })
      return Fiber.interrupt(fiber)
    })
  )
