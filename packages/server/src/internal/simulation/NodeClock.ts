import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { TimerHeap } from "./TimerHeap.ts"

/** The time of a simulation. */
interface VirtualTime {
  /** Virtual nanoseconds since the start. */
  readonly now: number
  readonly timers: TimerHeap
}

/** Virtual time as one process sees it. Its wall clock can be set; the monotonic clock is the same for all. */
export class NodeClock implements Clock.Clock {
  private readonly time: VirtualTime
  /** How far the wall clock is ahead of the monotonic one, in milliseconds. */
  private wallOffset: number

  constructor(time: VirtualTime, startsAt: number) {
    this.time = time
    this.wallOffset = startsAt
  }

  /** Sets the wall clock forward, or back if negative. */
  step(millis: number): void {
    this.wallOffset += millis
  }

  currentTimeMillisUnsafe(): number {
    return Math.floor(this.time.now / 1e6) + this.wallOffset
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())

  currentTimeNanosUnsafe(): bigint {
    return BigInt(this.time.now) + BigInt(this.wallOffset) * 1_000_000n
  }

  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())

  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(this.time.now)
  }

  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.withFiber((fiber) =>
      Effect.callback<void>((resume) => {
        const { timers, now } = this.time
        const dispatcher = fiber.currentDispatcher
        // The fiber wakes in a turn of its own process, and not while that is paused.
        const wake = () => dispatcher.scheduleTask(() => resume(Effect.void), 0)
        const timer = timers.add(now + Math.ceil(millis * 1e6), wake)
        return Effect.sync(() => timers.cancel(timer))
      })
    )
  }
}
