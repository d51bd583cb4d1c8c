import type * as Clock from "effect/Clock"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { CloseCoordinator } from "../CloseCoordinator.ts"
import type { Liveness } from "../time/Liveness.ts"

/** The pause of a schedule without any, in milliseconds: it must not become a busy loop. */
const MIN_PAUSE = 100

type Step = (now: number) => Effect.Effect<Duration.Duration, unknown>

/** The parts of a session that decide how long a pause is. */
export interface BackoffParts {
  readonly clock: Clock.Clock
  readonly liveness: Pick<Liveness, "now" | "timeLeft">
  readonly closeCoordinator: Pick<CloseCoordinator, "begun" | "isBegun">
  /** Makes the schedule of pauses. */
  readonly retry: () => Schedule.Schedule<unknown>
}

/**
 * The pauses of a search for a server. It outlives the session: clients that lost their servers at the same moment count the
 * end of their sessions from that moment too, and would otherwise all begin anew at once when it comes. Most sessions never
 * pause, so that nothing is made before there is a pause.
 */
export class ReconnectBackoff {
  private readonly parts: BackoffParts
  private step: Step | undefined
  /** The last pause between two rounds, in milliseconds; 0 in the first round. */
  private last = 0
  /** A pause between two rounds is due, and the schedule has yet to say how long it is. */
  private isDue = false
  /** When the current pause ends, in monotonic milliseconds. */
  private endsAt = Number.NEGATIVE_INFINITY
  /** Whether a pause that the session could not outlive has been shortened. */
  private isFinalTryScheduled = false

  constructor(parts: BackoffParts) {
    this.parts = parts
  }

  /** The next pause is the first of the schedule again. */
  reset(): void {
    this.step = undefined
    this.last = 0
    this.isDue = false
    this.endsAt = Number.NEGATIVE_INFINITY
    this.isFinalTryScheduled = false
  }

  /** Waits between two rounds, but not until the session is over: there is one more try before. */
  betweenRounds(): Effect.Effect<void> {
    // At once: the session may end before the effect has begun, and the pause is due after that, too.
    this.isDue = true
    return this.takePause()
  }

  private takePause(): Effect.Effect<void> {
    return this.next().pipe(
      Effect.flatMap((pause) =>
        Effect.map(Random.Random, (random) => {
          const { liveness } = this.parts
          const now = liveness.now()
          const left = liveness.timeLeft(now)
          this.isDue = false
          this.last = pause
          this.endsAt = now + pause
          if (pause < left || this.isFinalTryScheduled) return
          this.isFinalTryScheduled = true
          // Not just before the end, when other clients in the same situation would try too.
          this.endsAt = now + left * random.nextDoubleUnsafe()
        })
      ),
      Effect.andThen(Effect.suspend(() => this.remainingPause()))
    )
  }

  /** Waits for the rest of a pause that was interrupted by the end of a session. */
  remainingPause(): Effect.Effect<void> {
    if (this.isDue) return this.takePause()
    const left = this.endsAt - this.parts.liveness.now()
    return left > 0 ? this.pause(left) : Effect.void
  }

  /** Waits, but hardly at all while the session is being closed: a server is wanted now, or not at all. */
  private pause(millis: number): Effect.Effect<void> {
    const { closeCoordinator } = this.parts
    if (closeCoordinator.isBegun) return Effect.sleep(Math.min(millis, MIN_PAUSE))
    return Effect.raceFirst(Effect.sleep(millis), closeCoordinator.begun)
  }

  /** Whether a pause is not over. */
  get isPausing(): boolean {
    return this.isDue || this.endsAt > this.parts.liveness.now()
  }

  /** Waits between two servers of one round over this many; not in the first round, where most likely one is there. */
  betweenServers(servers: number): Effect.Effect<void> {
    return Effect.flatMap(Random.Random, (random) => {
      const pause = (random.nextDoubleUnsafe() * this.last) / servers
      return pause > 0 ? this.pause(pause) : Effect.void
    })
  }

  /** The next pause of the schedule. A schedule that ends begins anew. */
  private next(): Effect.Effect<number> {
    return Effect.gen({ self: this }, function* () {
      const now = this.parts.clock.currentTimeMillisUnsafe()
      const step = (this.step ??= yield* toStep(this.parts.retry()))
      const pause = yield* Effect.catchCause(step(now), (cause) => {
        if (Cause.hasInterrupts(cause)) return Effect.failCause(cause as Cause.Cause<never>)
        this.step = undefined
        return Effect.succeed(Duration.millis(MIN_PAUSE))
      })
      return Duration.toMillis(pause)
    })
  }
}

const toStep = (schedule: Schedule.Schedule<unknown>): Effect.Effect<Step> =>
  Effect.map(
    Schedule.toStep(schedule),
    (step): Step =>
      (now) =>
        Effect.map(step(now, undefined), ([, pause]) => pause)
  )
