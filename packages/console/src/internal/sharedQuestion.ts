/** A question that costs its servers much, and is asked once for all pages. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** The answer before, while it is kept, or that of a new question. `isAnew` asks again. */
export type Shared<A, E> = (isAnew: boolean) => Effect.Effect<A, E>

/**
 * Only one question runs at a time, and all who wait get its answer. It ends early when no page waits for it any more. An answer
 * is kept for so many milliseconds, by those that it took; a failure is not kept.
 */
export const makeShared = Effect.fnUntraced(function* <A, E>(
  question: Effect.Effect<A, E>,
  kept: (elapsed: number) => number
): Effect.fn.Return<Shared<A, E>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  let running: Running<A, E> | undefined
  let last: { readonly answer: A; readonly until: number } | undefined
  const begin = Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.forkIn(question, scope)
    const begun: Running<A, E> = { fiber, began, waiting: 0 }
    running = begun
    return begun
  })
  const waitFor = (found: Running<A, E>) =>
    Effect.gen(function* () {
      found.waiting++
      const exit = yield* Effect.onInterrupt(Fiber.await(found.fiber), () => leave(found))
      if (running === found) {
        running = undefined
        const now = yield* Clock.currentTimeMillis
        const lasts = kept(now - found.began)
        last = Exit.isSuccess(exit) && lasts > 0 ? { answer: exit.value, until: now + lasts } : undefined
      }
      return yield* exit
    })
  const leave = (found: Running<A, E>) =>
    Effect.suspend(() => {
      if (--found.waiting > 0) return Effect.void
      if (running === found) running = undefined
      return Fiber.interrupt(found.fiber)
    })
  return (isAnew) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (running !== undefined) return waitFor(running)
      if (!isAnew && last !== undefined && now < last.until) return Effect.succeed(last.answer)
      return Effect.uninterruptibleMask((restore) => Effect.flatMap(begin, (begun) => restore(waitFor(begun))))
    })
})

// ---- internal

interface Running<A, E> {
  readonly fiber: Fiber.Fiber<A, E>
  readonly began: number
  waiting: number
}
