/** The end of the output of a command that was ended. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { withinTime } from "../../src/internal/output/timeLimit.ts"

describe("the time for the end of the output", () => {
  it.live("is not over while the machine has no time for the process", () =>
    Effect.gen(function* () {
      let isSaid = false
      const standsStill = Effect.sync(() => {
        const end = performance.now() + 700
        while (performance.now() < end);
      })
      const words = Effect.sleep("20 millis").pipe(
        Effect.andThen(standsStill),
        Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 20 })),
        Effect.andThen(Effect.sync(() => (isSaid = true)))
      )
      yield* withinTime(words, 500)
      assert.isTrue(isSaid)
    })
  )

  it.live("ends where the reader has stopped reading, whatever the output does", () =>
    Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      yield* withinTime(Effect.never, 200)
      const waited = (yield* Clock.currentTimeMillis) - began
      assert.isAtLeast(waited, 190)
      yield* withinTime(Effect.fail("closed"), 60_000)
    })
  )
})
