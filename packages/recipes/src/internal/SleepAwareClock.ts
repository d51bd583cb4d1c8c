/**
 * Time since, by the worse of two clocks. A machine that sleeps stops the monotonic clock and not the wall clock, so a forward
 * leap of the wall clock beside the monotonic one is time that has passed for everybody else. The session does the same for
 * its deadline, and says so in the wall clock's leaps of its own.
 */
import type * as Clock from "effect/Clock"

/** What two readings of the clocks may differ by without a leap, in milliseconds: a wall clock tells whole ones. */
const resolution = 2

/**
 * Milliseconds that never go back and never stand still while the machine sleeps. Leaps add up, whatever their size. A leap
 * back takes nothing away, because it cannot undo time that has passed.
 */
export class SleepAwareClock {
  private readonly clock: Clock.Clock
  /** The wall clock less the monotonic one, as it was before the next leap. */
  private offset: number
  /** The sum of all leaps. */
  private leapt = 0

  constructor(clock: Clock.Clock) {
    this.clock = clock
    this.offset = clock.currentTimeMillisUnsafe() - this.monotonic()
  }

  /** The time of the moment, on this clock alone. */
  now(): number {
    const monotonic = this.monotonic()
    const offset = this.clock.currentTimeMillisUnsafe() - monotonic
    const leap = offset - this.offset
    if (Math.abs(leap) > resolution) {
      this.offset = offset
      if (leap > 0) this.leapt += leap
    }
    return monotonic + this.leapt
  }

  private monotonic(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1_000_000
  }
}
