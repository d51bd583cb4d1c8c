import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { now } from "./targets.ts"

/** Starts to wait, and tells by a flag whether that has ended. */
export const begun = Effect.fnUntraced(function* <E, R>(waiting: Effect.Effect<void, E, R>) {
  let ended = false
  const fiber = yield* waiting.pipe(Effect.andThen(Effect.sync(() => (ended = true))), Effect.forkChild(now))
  return { hasEnded: () => ended, ends: Fiber.join(fiber), stop: Fiber.interrupt(fiber) }
})
