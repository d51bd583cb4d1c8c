/** The timers of a session, by themselves. */
import { assert, describe, it } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { TimerQueue } from "../../src/internal/time/TimerQueue.ts"

const makeAlarm = Effect.map(
  Clock.Clock,
  (clock) => new TimerQueue(clock, Context.make(Clock.Clock, clock), (run) => run())
)

const nanoseconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11_999_000_000 }))

describe("a timer queue", () => {
  // A retry pause is such a fraction: what had to happen after exactly 12 seconds then came a moment too late.
  it.effect.prop(
    "rings at its time to the millisecond, whatever fractions of one it woke at before",
    [Schema.Array(nanoseconds).check(Schema.isMaxLength(4))],
    ([moments]) =>
      Effect.gen(function* () {
        const timers = yield* makeAlarm
        const start = timers.now()
        const rung: Array<number> = []
        for (const moment of moments) timers.makeTimer().set(start + moment / 1_000_000, () => {})
        timers.makeTimer().set(start + 12_000, (now) => rung.push(now - start))
        yield* TestClock.adjust("11999 millis")
        assert.deepStrictEqual(rung, [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(rung, [12_000])
        timers.stop()
      }),
    { arbitrary: { runs: 500 } }
  )

  itEffect("rings once, at the time that it was set to last, and not at all when that was taken back", function* () {
    const timers = yield* makeAlarm
    const rung: Array<string> = []
    const putOff = timers.makeTimer()
    const brought = timers.makeTimer()
    const cleared = timers.makeTimer()
    putOff.set(1000, (now) => rung.push(`put off ${now}`))
    putOff.set(3000, (now) => rung.push(`put off ${now}`))
    brought.set(3000, (now) => rung.push(`brought forward ${now}`))
    brought.set(2000, (now) => rung.push(`brought forward ${now}`))
    cleared.set(1500, () => rung.push("cleared"))
    cleared.clear()
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(rung, ["brought forward 2000", "put off 3000"])
    timers.stop()
  })
})
