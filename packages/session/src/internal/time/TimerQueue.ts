import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { GuardCallback } from "../guardCallback.ts"

/** The error of clock readings and sleeps, which are in whole nanoseconds, in milliseconds. */
const RESOLUTION = 2e-6

/** A timer that fires this many milliseconds late shows that the process was stopped. */
export const STALL = 100

/** Runs at a time. It gets the time, or a later one if it could not run in time. */
export type OnDue = (now: number) => void

/**
 * The timers of a session, with one fiber that sleeps until the nearest is due. A timer that is cleared or put off wakes the
 * fiber once for nothing, which is cheaper than going to sleep anew.
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
   * Makes a timer. There are few of them, and they last as long as the session unless they are discarded. A `prompt` one also
   * runs before bytes that have come in are read, after the process was stopped.
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

  /** Has the fiber wake up for the nearest timer. */
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
   * Timers come before sockets in a turn of the event loop: after a stall of this process, bytes that came meanwhile are not
   * read yet, and a silence that was measured now would not be the server's. So sockets have their turn first if it is late.
   * Prompt timers, such as the end of an ownership, do not wait for that.
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
      // One of the timers before it may have cleared it.
      if (isDue(timer)) this.guardCallback(() => timer.fire(now))
    }
    this.isFiring = false
  }
}

/** Runs a function at a time. */
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
   * The same for the time limit of a server: the time in which this process was stopped is added, because it could hear
   * nothing in that time.
   */
  setAwake(at: number, onDue: OnDue): void {
    this.set(at, (now) => {
      const late = now - at
      if (late < STALL) return onDue(now)
      this.setAwake(now + late, onDue)
    })
  }

  /** Runs `onDue` once, at a time in monotonic milliseconds, instead of at the time that was set before. */
  set(at: number, onDue: OnDue): void {
    this.at = at
    this.onDue = onDue
    this.timers.arm()
  }

  clear(): void {
    this.at = Number.POSITIVE_INFINITY
    this.onDue = undefined
  }

  /** For `TimerQueue`. */
  fire(now: number): void {
    const { at, onDue } = this
    this.clear()
    onDue?.(Math.max(now, at))
  }
}

/**
 * Sums of fractions of a millisecond are wrong in their last bits, and a sleep must not end after its time because of that:
 * sleeps that are not of whole milliseconds end a nanosecond earlier, the smallest unit of a `Duration`.
 */
const sleepOf = (millis: number): Duration.Duration => {
  const nanos = Math.max(0, Math.round(millis * 1_000_000))
  const whole = nanos / 1_000_000
  return Duration.millis(Number.isInteger(whole) ? whole : (nanos - 1) / 1_000_000)
}
