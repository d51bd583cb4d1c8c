/** A wall clock that is set while the monotonic one goes on: no session ends by it, and ownership at most. */
import { assert, describe } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { nine, keepFor, owning } from "../support/nineSeconds.ts"
import { connect, exists, answered, statesOf } from "../support/session.ts"
import { now } from "../support/time.ts"
import { answerExists } from "../support/answers.ts"

describe("the wall clock", () => {
  /** A session that owns, and the wall time of its clock, which a test can move without the monotonic one. */
  const withWall = Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const wall = { offset: 0 }
    const stepped: Clock.Clock = {
      sleep: clock.sleep,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + wall.offset,
      currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + wall.offset),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(wall.offset) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => clock.currentTimeNanosUnsafe() + BigInt(wall.offset) * 1_000_000n)
    }
    const connected = yield* Effect.provideService(connect(nine), Clock.Clock, stepped)
    return { ...connected, wall, ownership: yield* owning(connected.session) }
  })

  itEffect("ends ownership when it leaps forward by more than is left, and a sign of life is asked for", function* () {
    const { ownership, server, session, wall } = yield* withWall
    yield* TestClock.adjust("1 second")
    yield* answered(server, exists(session, "/x"), (xid) => answerExists(server, xid))
    wall.offset += 9001
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
    assert.include(
      (yield* server.requests).map(({ name }) => name),
      "ping"
    )
    assert.strictEqual(session.info.state._tag, "Connected")
  })

  for (const [name, step] of [
    ["an hour forward", 3_600_000],
    ["an hour back", -3_600_000],
    ["a day forward", 86_400_000],
    ["a day back", -86_400_000]
  ] as const) {
    itEffect(`F39: stepped ${name} leaves the session as it is, and ends ownership at most`, function* () {
      const { network, ownership, server, session, wall } = yield* withWall
      const states = yield* statesOf(session)
      const reading = yield* Effect.forkChild(exists(session, "/x"), now)
      const { xid } = yield* server.nextRequest
      wall.offset += step
      answerExists(server, xid)
      yield* Fiber.join(reading)
      yield* keepFor(server, 30)
      assert.strictEqual(ownership.pollUnsafe() === undefined, step < 0)
      // A proof from now on owns it again.
      if (step > 0) yield* Fiber.join(yield* owning(session))
      yield* keepFor(server, 1)
      const again = yield* owning(session)
      yield* keepFor(server, 30)
      assert.isUndefined(again.pollUnsafe())
      assert.deepStrictEqual(states, ["Connected"])
      assert.lengthOf(network.dialled, 1)
    })
  }

  itEffect("ends ownership in a leap while there is no connection", function* () {
    const { network, ownership, server, session, wall } = yield* withWall
    network.set("a:2181", "hang")
    server.cut()
    yield* TestClock.adjust("1 second")
    wall.offset += 3_600_000
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual(ownership.pollUnsafe()?._tag, "Success")
    assert.strictEqual(session.info.state._tag, "Disconnected")
  })

  itEffect("shortens the deadline by each leap forward, and several add up", function* () {
    const { network, ownership, server, session, wall } = yield* withWall
    network.set("a:2181", "hang")
    server.cut()
    for (const leap of [1500, 10, 2000]) {
      wall.offset += leap
      yield* TestClock.adjust("1 second")
    }
    assert.strictEqual(session.info.deadline, 8_100_000_000n - 3_510_000_000n)
    assert.isUndefined(ownership.pollUnsafe())
    yield* TestClock.adjust("1589 millis")
    assert.isUndefined(ownership.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    assert.strictEqual((yield* Fiber.join(ownership))._tag, "OwnershipLost")
  })

  itEffect("no longer counts once a request after the leap is confirmed, and never counts back", function* () {
    const { ownership, server, session, wall } = yield* withWall
    for (const step of [2000, -1_000_000, 2000, -50, 2000]) {
      wall.offset += step
      yield* keepFor(server, 5)
    }
    assert.isUndefined(ownership.pollUnsafe())
    assert.strictEqual(session.info.state._tag, "Connected")
  })
})
