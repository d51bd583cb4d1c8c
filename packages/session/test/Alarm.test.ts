/** The alarm clock of a session, by itself. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { Alarm } from "../src/internal/Alarm.ts"

const makeAlarm = Effect.map(Clock.Clock, (clock) => new Alarm(clock, Context.make(Clock.Clock, clock), (run) => run()))

const nanoseconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11_999_000_000 }))

describe("an alarm", () => {
  // A retry pause is such a fraction: what had to happen after exactly 12 seconds then came a moment too late.
  it.effect.prop(
    "rings at its time to the millisecond, whatever fractions of one it woke at before",
    [Schema.Array(nanoseconds).check(Schema.isMaxLength(4))],
    ([moments]) =>
      Effect.gen(function* () {
        const alarm = yield* makeAlarm
        const start = alarm.now()
        const rung: Array<number> = []
        for (const moment of moments) alarm.timer().set(start + moment / 1_000_000, () => {})
        alarm.timer().set(start + 12_000, (now) => rung.push(now - start))
        yield* TestClock.adjust("11999 millis")
        assert.deepStrictEqual(rung, [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(rung, [12_000])
        alarm.stop()
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect("rings once, at the time that it was set to last, and not at all when that was taken back", () =>
    Effect.gen(function* () {
      const alarm = yield* makeAlarm
      const rung: Array<string> = []
      const putOff = alarm.timer()
      const brought = alarm.timer()
      const cleared = alarm.timer()
      putOff.set(1000, (now) => rung.push(`put off ${now}`))
      putOff.set(3000, (now) => rung.push(`put off ${now}`))
      brought.set(3000, (now) => rung.push(`brought forward ${now}`))
      brought.set(2000, (now) => rung.push(`brought forward ${now}`))
      cleared.set(1500, () => rung.push("cleared"))
      cleared.clear()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(rung, ["brought forward 2000", "put off 3000"])
      alarm.stop()
    })
  )
})
