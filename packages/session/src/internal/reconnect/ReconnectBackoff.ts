import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { SessionMachine } from "../SessionMachine.ts"

/** Milliseconds that a schedule without any pause costs all the same: it must not become a busy loop. */
const MIN_PAUSE = 100

type Step = (now: number) => Effect.Effect<Duration.Duration, unknown>

/**
 * The pauses of a search for a server. It outlives the session: clients that lost their servers in the same moment count
 * the end of their sessions from that moment too, and would all begin anew at once when it comes. Most sessions never pause:
 * nothing is made before there is a pause.
 */
export class ReconnectBackoff {
  private readonly machine: SessionMachine
  private step: Step | undefined
  /** The last pause between two rounds, in milliseconds; 0 in the first round. */
  private last = 0
  /** When the pause that is under way ends, in monotonic milliseconds. */
  private endsAt = Number.NEGATIVE_INFINITY
  /** Whether the last pause that the session could outlive has been shortened. */
  private isFinalTryScheduled = false

  constructor(machine: SessionMachine) {
    this.machine = machine
  }

  /** A server has been found: the schedule begins anew the next time. */
  reset(): void {
    this.step = undefined
    this.last = 0
    this.endsAt = Number.NEGATIVE_INFINITY
    this.isFinalTryScheduled = false
  }

  /** Waits between two rounds, but not until the session is over: there is one try more before. */
  betweenRounds(): Effect.Effect<void> {
    return this.next().pipe(
      Effect.flatMap((pause) =>
        Effect.map(Random.Random, (random) => {
          const { liveness } = this.machine
          const now = liveness.now()
          const left = liveness.timeLeft(now)
          this.last = pause
          this.endsAt = now + pause
          if (pause < left || this.isFinalTryScheduled) return
          this.isFinalTryScheduled = true
          // Not just before the end, where others in the same situation would try too.
          this.endsAt = now + left * random.nextDoubleUnsafe()
        })
      ),
      Effect.andThen(Effect.suspend(() => this.remainingPause()))
    )
  }

  /** Waits for what is left of a pause that was interrupted by the end of a session. */
  remainingPause(): Effect.Effect<void> {
    const left = this.endsAt - this.machine.liveness.now()
    return left > 0 ? this.pause(left) : Effect.void
  }

  /** For a session that is being closed a server is wanted now, or not at all. */
  private pause(millis: number): Effect.Effect<void> {
    const { closeCoordinator } = this.machine
    if (closeCoordinator.isBegun) return Effect.sleep(Math.min(millis, MIN_PAUSE))
    return Effect.raceFirst(Effect.sleep(millis), closeCoordinator.begun)
  }

  /** Whether there is something left of a pause. */
  get isPausing(): boolean {
    return this.endsAt > this.machine.liveness.now()
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
      const now = this.machine.clock.currentTimeMillisUnsafe()
      const step = (this.step ??= yield* toStep(this.machine.settings.retry()))
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
