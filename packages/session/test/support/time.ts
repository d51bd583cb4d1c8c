/** Virtual time, and what a test lets happen in it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { MemoryNetwork } from "./MemoryNetwork.ts"

export { now } from "@effect-zookeeper/test-kit/Expectations"

/** Lets everything that can run do so. */
export const settle = TestClock.adjust("1 millis")

/** Passes so much virtual time step by step, as a real clock does. */
export const pass = (millis: number, step = 10) =>
  Effect.repeat(TestClock.adjust(step), { times: Math.ceil(millis / step) - 1 })

export const gapsOf = (times: ReadonlyArray<number>) => times.slice(1).map((time, index) => time - times[index]!)

/** The virtual times at which servers are dialled from now on. */
export const dialTimes = Effect.fnUntraced(function* (network: MemoryNetwork) {
  const clock = yield* Clock.Clock
  const times: Array<number> = []
  const { dialled } = network
  dialled.push = (...items) => {
    times.push(clock.currentTimeMillisUnsafe())
    return Array.prototype.push.apply(dialled, items)
  }
  return times
})
