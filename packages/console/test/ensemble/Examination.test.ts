/** The findings of the doctor, which all pages of a cluster share. */
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { makeExamination } from "../../src/internal/ensemble/examination.ts"

/** A look of ten seconds, which finds its number. */
const counted = Effect.fnUntraced(function* () {
  const looks = { begun: 0, stopped: 0 }
  const examine = yield* makeExamination(
    Effect.gen(function* () {
      const message = String(++looks.begun)
      yield* Effect.onInterrupt(Effect.sleep("10 seconds"), () => Effect.sync(() => looks.stopped++))
      return [{ severity: "note" as const, check: "tree", where: "", message }]
    })
  )
  const ask = (isAnew = false) =>
    Effect.forkChild(
      Effect.map(examine(isAnew), ([found]) => found?.message),
      { startImmediately: true }
    )
  return { looks, ask }
})

describe("an examination", () => {
  itEffect("runs once for all who wait, and is kept for a minute", function* () {
    const { ask, looks } = yield* counted()
    const first = yield* ask()
    yield* TestClock.adjust("5 seconds")
    // Also those who want another look get the one that runs.
    const second = yield* ask(true)
    yield* TestClock.adjust("5 seconds")
    assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(second)], ["1", "1"])
    yield* TestClock.adjust("59 seconds")
    assert.strictEqual(yield* Fiber.join(yield* ask()), "1")
    yield* TestClock.adjust("2 seconds")
    const later = yield* ask()
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* Fiber.join(later), "2")
    assert.deepStrictEqual(looks, { begun: 2, stopped: 0 })
  })

  itEffect("looks again when a person asks for it", function* () {
    const { ask } = yield* counted()
    for (const expected of ["1", "2"]) {
      const asked = yield* ask(true)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(asked), expected)
    }
  })

  itEffect("ends when no page waits for it any more", function* () {
    const { ask, looks } = yield* counted()
    const first = yield* ask()
    const second = yield* ask()
    yield* TestClock.adjust(0)
    yield* Fiber.interrupt(first)
    assert.deepStrictEqual(looks, { begun: 1, stopped: 0 })
    yield* Fiber.interrupt(second)
    assert.deepStrictEqual(looks, { begun: 1, stopped: 1 })
    const third = yield* ask()
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* Fiber.join(third), "2")
  })
})
