import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { GuardCallback } from "../guardCallback.ts"

/** What readings of a clock in whole nanoseconds, and sleeps of as many, may be wrong by, in milliseconds. */
const RESOLUTION = 2e-6

/** A timer that fires so many milliseconds late tells of a process that stood still. */
export const STALL = 100

/** What happens at a time; it is told the time, or a later one if it could not be in time. */
export type OnDue = (now: number) => void

/**
 * The timers of a session: everything that has to happen at its time, and one fiber that sleeps until the nearest
 * of it. A moment that is taken back or put off wakes it once for nothing, which is cheaper than going to sleep anew.
 */
export class TimerQueue {
  private readonly clock: Clock.Clock
  private readonly context: Context.Context<never>
  private readonly guardCallback: GuardCallback
  private readonly timers: Array<Timer> = []
  private sleeper: Fiber.Fiber<void> | undefined
  private wakesAt = Number.POSITIVE_INFINITY
  private isFiring = false
  private isStopped = false
  /** Runs first whenever the queue wakes up, even if it is for nothing. */
  onWake: ((now: number) => void) | undefined

  constructor(clock: Clock.Clock, context: Context.Context<never>, guardCallback: GuardCallback) {
    this.clock = clock
    this.context = context
    this.guardCallback = guardCallback
  }

  /** Monotonic milliseconds, as a number: arithmetic on the request path stays cheap. */
  now(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1_000_000
  }

  /**
   * Something that has to happen at times; there are few of them, and they last as long as the session unless
   * they are discarded. `prompt`: also
   * before what has come in meanwhile is read, when this process stood still.
   */
  makeTimer(urgency?: "prompt"): Timer {
    const timer = new Timer(this, urgency === "prompt")
    this.timers.push(timer)
    return timer
  }

  /** A timer that is not needed any more. */
  discard(timer: Timer): void {
    timer.clear()
    const index = this.timers.indexOf(timer)
    if (index >= 0) this.timers.splice(index, 1)
  }

  /** Nothing happens any more. */
  stop(): void {
    this.isStopped = true
    this.sleeper?.interruptUnsafe()
    this.sleeper = undefined
  }

  /** Sees to it that the nearest moment is not slept through. */
  arm(): void {
    if (this.isFiring || this.isStopped) return
    let next = Number.POSITIVE_INFINITY
    for (const { at } of this.timers) if (at < next) next = at
    if (next >= this.wakesAt) return
    this.sleeper?.interruptUnsafe()
    this.sleeper = undefined
    this.wakesAt = next
    const sleep = this.clock.sleep(sleepOf(next - this.now()))
    const fiber = Effect.runForkWith(this.context)(Effect.andThen(sleep, this.wake))
    if (fiber.pollUnsafe() === undefined) this.sleeper = fiber
  }

  /**
   * Timers come before sockets in a turn of the event loop: after a stall of our own, what came meanwhile is not read yet,
   * and a silence that was measured now would be ours. So sockets have their turn first, unless it is not late. What must
   * not be late, the end of an ownership, does not wait for that.
   */
  private readonly wake: Effect.Effect<void> = Effect.suspend(() => {
    const { onWake } = this
    if (onWake !== undefined) this.guardCallback(() => onWake(this.now()))
    if (this.now() <= this.wakesAt + RESOLUTION) return this.fire
    this.fireDue(({ isPrompt }) => isPrompt)
    return Effect.andThen(Effect.yieldNow, this.fire)
  })

  private readonly fire: Effect.Effect<void> = Effect.sync(() => {
    this.sleeper = undefined
    this.wakesAt = Number.POSITIVE_INFINITY
    this.fireDue(() => true)
    this.arm()
  })

  private fireDue(chosen: (timer: Timer) => boolean): void {
    const now = this.now()
    const isDue = ({ at }: Timer) => at <= now + RESOLUTION
    this.isFiring = true
    for (const timer of this.timers.filter((one) => isDue(one) && chosen(one)).toSorted((a, b) => a.at - b.at)) {
      // One of those before it may have taken it back.
      if (isDue(timer)) this.guardCallback(() => timer.fire(now))
    }
    this.isFiring = false
  }
}

/** One thing that has to happen at a time. */
export class Timer {
  private readonly timers: TimerQueue
  private onDue: OnDue | undefined
  readonly isPrompt: boolean
  /** In monotonic milliseconds; never, unless it is set. */
  at = Number.POSITIVE_INFINITY

  constructor(timers: TimerQueue, isPrompt: boolean) {
    this.timers = timers
    this.isPrompt = isPrompt
  }

  /**
   * The same for how long somebody else may take: the time in which this process stood still is added, for it could hear
   * nothing in that time.
   */
  setAwake(at: number, onDue: OnDue): void {
    this.set(at, (now) => {
      const late = now - at
      if (late < STALL) return onDue(now)
      this.setAwake(now + late, onDue)
    })
  }

  /** Once, at a time in monotonic milliseconds, and no more at the time it was set to before. */
  set(at: number, onDue: OnDue): void {
    this.at = at
    this.onDue = onDue
    this.timers.arm()
  }

  clear(): void {
    this.at = Number.POSITIVE_INFINITY
    this.onDue = undefined
  }

  /** For the queue. */
  fire(now: number): void {
    const { at, onDue } = this
    this.clear()
    onDue?.(Math.max(now, at))
  }
}

/**
 * Sums of fractions of a millisecond come out wrong in their last bits, and a sleep is not to end after its time because
 * of it: those that are not of whole milliseconds end a nanosecond, the least that a `Duration` tells apart, before it.
 */
const sleepOf = (millis: number): Duration.Duration => {
  const nanos = Math.max(0, Math.round(millis * 1_000_000))
  const whole = nanos / 1_000_000
  return Duration.millis(Number.isInteger(whole) ? whole : (nanos - 1) / 1_000_000)
}
