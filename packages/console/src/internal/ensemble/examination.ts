/** The findings of the doctor, which looks once for all pages. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Finding } from "../../EnsembleModels.ts"

/** The findings of the last minute, or those of a new look with `isAnew`. */
export type Examination<E> = (isAnew: boolean) => Effect.Effect<ReadonlyArray<Finding>, E>

/** Only one look runs at a time. It ends early when no page waits for it any more. */
export const makeExamination = Effect.fnUntraced(function* <E>(
  look: Effect.Effect<ReadonlyArray<Finding>, E>
): Effect.fn.Return<Examination<E>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  let running: Look<E> | undefined
  let last: { readonly findings: ReadonlyArray<Finding>; readonly time: number } | undefined
  const begin = Effect.gen(function* () {
    const fiber = yield* Effect.forkIn(look, scope)
    const begun: Look<E> = { fiber, waiting: 0 }
    running = begun
    return begun
  })
  const waitFor = (found: Look<E>) =>
    Effect.gen(function* () {
      found.waiting++
      const exit = yield* Effect.onInterrupt(Fiber.await(found.fiber), () => leave(found))
      if (running === found) {
        running = undefined
        if (Exit.isSuccess(exit)) last = { findings: exit.value, time: yield* Clock.currentTimeMillis }
      }
      return yield* exit
    })
  const leave = (found: Look<E>) =>
    Effect.suspend(() => {
      if (--found.waiting > 0) return Effect.void
      if (running === found) running = undefined
      return Fiber.interrupt(found.fiber)
    })
  return (isAnew) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (running !== undefined) return waitFor(running)
      if (!isAnew && last !== undefined && now - last.time < kept) return Effect.succeed(last.findings)
      return Effect.uninterruptibleMask((restore) => Effect.flatMap(begin, (begun) => restore(waitFor(begun))))
    })
})

// ---- internal

interface Look<E> {
  readonly fiber: Fiber.Fiber<ReadonlyArray<Finding>, E>
  waiting: number
}

/** Milliseconds. */
const kept = 60_000
