import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { SessionCore } from "./SessionCore.ts"

/** Milliseconds that a schedule without any pause costs all the same: it must not become a busy loop. */
const LEAST = 100

type Step = (now: number) => Effect.Effect<Duration.Duration, unknown>

/**
 * The pauses of a search for a server. It outlives the session: clients that lost their servers in the same moment count
 * the end of their sessions from that moment too, and would all begin anew at once when it comes. Most sessions never pause:
 * nothing is made before there is a pause.
 */
export class Pacer {
  private readonly core: SessionCore
  private step: Step | undefined
  /** The last pause between two rounds, in milliseconds; 0 in the first round. */
  private last = 0
  /** When the pause that is under way ends, in monotonic milliseconds. */
  private endsAt = Number.NEGATIVE_INFINITY
  /** Whether the last pause that the session could outlive has been shortened. */
  private isLastChanceTaken = false

  constructor(core: SessionCore) {
    this.core = core
  }

  /** A server has been found: the schedule begins anew the next time. */
  reset(): void {
    this.step = undefined
    this.last = 0
    this.endsAt = Number.NEGATIVE_INFINITY
    this.isLastChanceTaken = false
  }

  /** Waits between two rounds, but not until the session is over: there is one try more before. */
  betweenRounds(): Effect.Effect<void> {
    return this.next().pipe(
      Effect.flatMap((pause) =>
        Effect.map(Random.Random, (random) => {
          const { liveness } = this.core
          const now = liveness.now()
          const left = liveness.expiresAt - now
          this.last = pause
          this.endsAt = now + pause
          if (!liveness.canExpire || pause < left || this.isLastChanceTaken) return
          this.isLastChanceTaken = true
          // Not just before the end, where others in the same situation would try too.
          this.endsAt = now + Math.max(0, left) * random.nextDoubleUnsafe()
        })
      ),
      Effect.andThen(Effect.suspend(() => this.rest()))
    )
  }

  /** Waits for what is left of a pause that was interrupted by the end of a session. */
  rest(): Effect.Effect<void> {
    const left = this.endsAt - this.core.liveness.now()
    return left > 0 ? this.pause(left) : Effect.void
  }

  /** For a session that is being closed a server is wanted now, or not at all. */
  private pause(millis: number): Effect.Effect<void> {
    const { closing } = this.core
    if (closing.isBegun) return Effect.sleep(Math.min(millis, LEAST))
    return Effect.raceFirst(Effect.sleep(millis), closing.begun)
  }

  /** Whether there is something left of a pause. */
  get isPausing(): boolean {
    return this.endsAt > this.core.liveness.now()
  }

  /** Waits between two of so many servers of one round: not in the first round, where somebody is most likely there. */
  betweenServers(servers: number): Effect.Effect<void> {
    return Effect.flatMap(Random.Random, (random) => {
      const pause = (random.nextDoubleUnsafe() * this.last) / servers
      return pause > 0 ? this.pause(pause) : Effect.void
    })
  }

  /** The next pause of the schedule; when that ends it is begun anew. */
  private next(): Effect.Effect<number> {
    return Effect.gen({ self: this }, function* () {
      const now = this.core.clock.currentTimeMillisUnsafe()
      const step = (this.step ??= yield* toStep(this.core.settings.retry()))
      const pause = yield* Effect.catchCause(step(now), (cause) => {
        if (Cause.hasInterrupts(cause)) return Effect.failCause(cause as Cause.Cause<never>)
        this.step = undefined
        return Effect.succeed(Duration.millis(LEAST))
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
