/** The pauses of a search for a server, whatever becomes of the session meanwhile. */
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { ReconnectBackoff } from "../../src/internal/reconnect/ReconnectBackoff.ts"

const closeCoordinator = { begun: Effect.never, isBegun: false }

/** Pauses of 200 milliseconds, for a session that has this many left. */
const makeBackoff = (left: number) =>
  Effect.map(
    Clock.Clock,
    (clock) =>
      new ReconnectBackoff({
        clock,
        liveness: { now: () => clock.currentTimeMillisUnsafe(), timeLeft: () => left },
        closeCoordinator,
        retry: () => Schedule.spaced("200 millis")
      })
  )

/** The milliseconds after which an effect has ended. */
const lengthOf = Effect.fnUntraced(function* (effect: Effect.Effect<void>) {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  let millis = 0
  for (; fiber.pollUnsafe() === undefined; millis += 10) yield* TestClock.adjust(10)
  yield* Fiber.join(fiber)
  return millis
})

describe("a pause between two rounds", () => {
  itEffect("is due after the end of the session, if that comes before the pause has begun", function* () {
    const backoff = yield* makeBackoff(10_000)
    assert.isFalse(backoff.isPausing)
    // The effect is never run.
    backoff.betweenRounds()
    assert.isTrue(backoff.isPausing)
    assert.strictEqual(yield* lengthOf(backoff.remainingPause()), 200)
    assert.isFalse(backoff.isPausing)
  })

  itEffect("goes on after the end of the session, if that comes during the pause", function* () {
    const backoff = yield* makeBackoff(10_000)
    const fiber = yield* Effect.forkChild(backoff.betweenRounds(), { startImmediately: true })
    yield* TestClock.adjust(50)
    yield* Fiber.interrupt(fiber)
    assert.isTrue(backoff.isPausing)
    assert.strictEqual(yield* lengthOf(backoff.remainingPause()), 150)
  })

  itEffect("is none where the pauses begin anew", function* () {
    const backoff = yield* makeBackoff(10_000)
    backoff.betweenRounds()
    backoff.reset()
    assert.isFalse(backoff.isPausing)
    assert.strictEqual(yield* lengthOf(backoff.remainingPause()), 0)
  })

  itEffect("is shortened once where the session would end before, for one more try", function* () {
    const backoff = yield* makeBackoff(100)
    assert.isAtMost(yield* lengthOf(backoff.betweenRounds()), 100)
    assert.strictEqual(yield* lengthOf(backoff.betweenRounds()), 200)
  })
})
