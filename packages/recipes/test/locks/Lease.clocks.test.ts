/**
 * A lease on a machine that sleeps: its monotonic clock stands still meanwhile, and its wall clock leaps when it wakes.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert, layer } from "@effect/vitest"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Lease from "../../src/Lease.ts"
import { embedded } from "../support/embedded.ts"
import { failure, now } from "../support/targets.ts"

/**
 * The clock of the machine, whose wall clock can leap, and a process on it that can stand still between its two clocks.
 */
const leapingClock = Effect.clockWith((clock) =>
  Effect.sync(() => {
    let leapt = 0
    let stopped = 0
    let stopsFor = 0
    const leaping: Clock.Clock = Object.create(clock, {
      currentTimeMillisUnsafe: {
        value: () => {
          stopped += stopsFor
          stopsFor = 0
          return clock.currentTimeMillisUnsafe() + leapt + stopped
        }
      },
      currentTimeMillis: { get: () => Effect.sync(() => clock.currentTimeMillisUnsafe() + leapt + stopped) },
      monotonicTimeNanosUnsafe: { value: () => clock.monotonicTimeNanosUnsafe() + BigInt(stopped) * 1_000_000n }
    })
    return {
      on: Effect.provideService(Clock.Clock, leaping),
      leap: (millis: number) => Effect.sync(() => void (leapt += millis)),
      /** The process stands still for so long, right before it reads the wall clock the next time. */
      stop: (millis: number) => Effect.sync(() => void (stopsFor = millis))
    }
  })
)

const obtained = Effect.fnUntraced(function* (path: string) {
  const { leap, on, stop } = yield* leapingClock
  const { obtain } = yield* Lease.make(path, { duration: "30 seconds" })
  const held = Option.getOrThrow(yield* on(obtain))
  return { leap, stop, held }
})

layer(embedded, { excludeTestServices: true })("a lease of 30 seconds on a machine that sleeps", (it) => {
  const itEffect = testWith(it.effect, Effect.void)

  itEffect("is lost on waking from a longer sleep, before anything guarded goes on", function* () {
    const { leap, on } = yield* leapingClock
    const { withLease } = yield* Lease.make("/guarded", { duration: "30 seconds" })
    const slept = Effect.andThen(leap(35_000), Effect.never)
    const lost = yield* failure(on(withLease(slept)), "LockLost")
    assert.strictEqual(lost.reason, "expired")
  })

  itEffect("knows it at once, and sends no request for a lease that is over", function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    const { held, leap } = yield* obtained("/at-once")
    yield* leap(35_000)
    assert.strictEqual(yield* held.remaining, 0)
    yield* failure(held.transaction([]), "LockLost")
    yield* failure(held.renew, "LockLost")
    yield* failure(held.lost, "LockLost")
    assert.isTrue(yield* zk.exists(held.path))
  })

  itEffect("has less time left by every leap, whatever its size, and none back for a leap back", function* () {
    const { held, leap } = yield* obtained("/leaps")
    const before = yield* held.remaining
    yield* leap(4)
    // The wall clock tells whole milliseconds.
    assert.isAtMost(yield* held.remaining, before - 4 + 2)
    yield* leap(9_000)
    yield* held.remaining
    yield* leap(-9_000)
    assert.isAtMost(yield* held.remaining, before - 9_002)
    yield* leap(9_000)
    assert.isAtMost(yield* held.remaining, before - 18_002)
    yield* leap(9_000)
    assert.strictEqual((yield* failure(held.lost, "LockLost")).reason, "expired")
  })

  itEffect("has its whole time again when it has been renewed", function* () {
    const { held, leap } = yield* obtained("/renewed")
    yield* leap(20_000)
    // The wall clock tells whole milliseconds.
    assert.isAtMost(yield* held.remaining, 7_000 + 2)
    yield* held.renew
    assert.isAbove(yield* held.remaining, 20_000)
    const lost = yield* Effect.forkChild(held.lost, now)
    assert.isUndefined(lost.pollUnsafe())
    yield* Fiber.interrupt(lost)
  })

  itEffect("loses the time of a standstill once, also where it falls between the readings of two clocks", function* () {
    const { held, stop } = yield* obtained("/stopped")
    const before = yield* held.remaining
    yield* stop(9_000)
    yield* held.remaining
    const after = yield* held.remaining
    assert.isAtMost(after, before - 9_000 + 2)
    assert.isAbove(after, before - 17_000)
  })
})
