import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { LoopNode } from "./EventLoop.ts"

/** Virtual time as one process sees it. Its wall clock can be set; the monotonic one is the world's. */
export class NodeClock implements Clock.Clock {
  private readonly node: LoopNode
  /** What the wall clock is ahead of the monotonic one, in milliseconds. */
  private wallOffset: number

  constructor(node: LoopNode, startsAt: number) {
    this.node = node
    this.wallOffset = startsAt
  }

  /** Sets the wall clock forward, or back. */
  step(millis: number): void {
    this.wallOffset += millis
  }

  currentTimeMillisUnsafe(): number {
    return Math.floor(this.node.loop.now / 1e6) + this.wallOffset
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())

  currentTimeNanosUnsafe(): bigint {
    return BigInt(this.node.loop.now) + BigInt(this.wallOffset) * 1_000_000n
  }

  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())

  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(this.node.loop.now)
  }

  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.withFiber((fiber) =>
      Effect.callback<void>((resume) => {
        const { timers, now } = this.node.loop
        const dispatcher = fiber.currentDispatcher
        // The sleeper wakes in its turn, and not at all while its process is stopped.
        const wake = () => dispatcher.scheduleTask(() => resume(Effect.void), 0)
        const timer = timers.add(now + Math.ceil(millis * 1e6), wake)
        return Effect.sync(() => timers.cancel(timer))
      })
    )
  }
}
