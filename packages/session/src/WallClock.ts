/**
 * Time that goes on while the machine sleeps, for deadlines that servers and other clients hold a client to.
 *
 * Stability: low. It serves the session and the recipes of this project, and may change in any version.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"

/** What two readings of the clocks may differ by without a leap, in milliseconds: a wall clock tells whole ones. */
const RESOLUTION = 2

/** How many leaps are remembered one by one. */
const REMEMBERED = 64

interface Leap {
  /** Monotonic milliseconds. */
  readonly noticedAt: number
  /** The sum of all leaps before this one, in milliseconds. */
  readonly before: number
}

/**
 * How far the wall clock has leapt forward beside the monotonic one.
 *
 * A machine that sleeps stops the monotonic clock but not the wall clock, so each forward leap is time that may have passed
 * for everybody else. Leaps add up, whatever their size. A leap back takes nothing away, because it cannot undo time that has
 * passed. Leaps are noticed when the clocks are compared: by `look` and `now`.
 *
 * @category models
 * @since 0.1.0
 */
export class WallClock {
  private readonly clock: Clock.Clock
  /** The wall clock less the monotonic one, as seen last. */
  private offset: number
  private readonly leaps: Array<Leap> = []
  /** The sum of all leaps that have been noticed, in milliseconds. */
  leapt = 0

  constructor(clock: Clock.Clock) {
    this.clock = clock
    this.offset = clock.currentTimeMillisUnsafe() - this.monotonic()
  }

  /** Compares the clocks: how far the wall clock has leapt since the last look. `now` is a fresh monotonic reading. */
  look(now: number): number {
    let offset = this.clock.currentTimeMillisUnsafe() - now
    // The process may have been stopped between the two readings, so a leap is read once more the other way round.
    if (offset - this.offset > RESOLUTION) {
      const wall = this.clock.currentTimeMillisUnsafe()
      offset = Math.min(offset, wall - this.monotonic())
    }
    const leap = offset - this.offset
    if (Math.abs(leap) <= RESOLUTION) return 0
    this.offset = offset
    if (leap < 0) return 0
    this.leaps.push({ noticedAt: now, before: this.leapt })
    if (this.leaps.length > REMEMBERED) this.leaps.shift()
    this.leapt += leap
    return leap
  }

  /** Compares the clocks: monotonic milliseconds and all leaps, which never go back and never stand still in a sleep. */
  now(): number {
    const now = this.monotonic()
    this.look(now)
    return now + this.leapt
  }

  /** A monotonic moment on a clock that counts the leaps until then as well. */
  withLeaps(at: number): number {
    for (const { before, noticedAt } of this.leaps) if (noticedAt > at) return at + before
    return at + this.leapt
  }

  private monotonic(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1_000_000
  }
}
