/**
 * Many requests at once, for packages that read or write whole trees.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { startOf, type StartRequest } from "./internal/promise/directRequest.ts"
import { isTracedIn } from "./internal/tracing.ts"

/**
 * Runs all of them at once, and gives the outcome of each in their order.
 *
 * The requests of a client are sent without a fiber for each. Where the caller is traced, and for any
 * other Effect, each has a fiber of its own. If the caller is interrupted, requests that were not sent are given up.
 *
 * @category running
 * @since 0.1.0
 */
export const exits = <A, E, R>(
  requests: ReadonlyArray<Effect.Effect<A, E, R>>
): Effect.Effect<ReadonlyArray<Exit.Exit<A, E>>, never, R> =>
  Effect.withFiber((fiber) => {
    const starts = isTracedIn(fiber.context) ? undefined : startsOf(requests)
    return starts === undefined
      ? Effect.forEach(requests, Effect.exit, { concurrency: "unbounded" })
      : Effect.callback<ReadonlyArray<Exit.Exit<A, E>>>((resume) => {
          const exits = new Array<Exit.Exit<A, E>>(starts.length)
          const giveUps: Array<() => void> = []
          let left = starts.length
          for (const [index, start] of starts.entries()) {
            const settle = (exit: Exit.Exit<A, E>) => {
              exits[index] = exit
              if (--left === 0) resume(Effect.succeed(exits))
            }
            try {
              const giveUp = start(settle, fiber)
              if (giveUp !== undefined) giveUps.push(giveUp)
            } catch (defect) {
              // That of an interceptor, for one: it ends this request, as it would end a fiber, and none of the others.
              settle(Exit.die(defect))
            }
          }
          if (starts.length === 0) resume(Effect.succeed(exits))
          return Effect.sync(() => {
            for (const giveUp of giveUps) giveUp()
          })
        })
  })

// ---- internal

/** Undefined if some are no single requests. */
const startsOf = <A, E, R>(
  requests: ReadonlyArray<Effect.Effect<A, E, R>>
): ReadonlyArray<StartRequest<A, E>> | undefined => {
  const starts: Array<StartRequest<A, E>> = []
  for (const request of requests) {
    const start = startOf(request)
    if (start === undefined) return undefined
    starts.push(start)
  }
  return starts
}
