/** How long the session provably holds what a runner owns. */
import type { SessionError, InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Op from "@effect-zookeeper/client/Op"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { OwnershipUncertain } from "../Errors.ts"
import type { Layout } from "./layout.ts"
import { reserve, type Times } from "./settings.ts"

/**
 * A time in which one session was proved without a gap. Its end is final: what was owned in it is lost, even if the session
 * goes on.
 */
export interface Epoch {
  readonly sessionId: bigint
  /** Reads the clocks: an end that nothing has reported yet is one. */
  readonly isOver: () => boolean
}

/**
 * The epochs of the client's session. While an epoch lasts, an effect waits for `session.ownership`, so that the session is
 * proved four times in each timeout.
 */
export class SessionOwnership {
  private readonly zk: ZooKeeper.Service
  private readonly clock: Clock.Clock
  private readonly scope: Scope.Scope
  private readonly layout: Layout
  private readonly times: Times
  private epoch: Epoch | undefined

  constructor(options: {
    readonly zk: ZooKeeper.Service
    readonly clock: Clock.Clock
    /** The epochs end with it. */
    readonly scope: Scope.Scope
    readonly layout: Layout
    readonly times: Times
  }) {
    this.zk = options.zk
    this.clock = options.clock
    this.scope = options.scope
    this.layout = options.layout
    this.times = options.times
  }

  /** The present epoch; one begins, with a proof, if there is none. */
  get begin(): Effect.Effect<Epoch, InvalidArgument | SessionError> {
    return Effect.gen({ self: this }, function* () {
      while (true) {
        const started = this.present ?? (yield* this.start)
        if (started !== undefined) return started
        yield* Outcome.retryAcrossSessions(this.zk.session, this.prove)
        const proved = this.present ?? (yield* this.start)
        if (proved !== undefined) return proved
        // The answer came too late to prove anything.
        yield* Effect.sleep(this.zk.session.timeout / 16)
      }
    })
  }

  /**
   * Waits until an epoch is proved for the time until the next refresh. Fails in time to stop what runs, if no proof comes.
   */
  awaitProof(epoch: Epoch): Effect.Effect<void, OwnershipUncertain> {
    return Effect.suspend(() => {
      const remaining = this.remaining
      if (epoch.isOver()) return Effect.fail(this.uncertain(epoch))
      if (remaining >= this.times.interval + reserve) return Effect.void
      if (remaining <= reserve) return Effect.fail(this.uncertain(epoch))
      return Effect.andThen(Effect.sleep(Math.min(50, remaining - reserve)), this.awaitProof(epoch))
    })
  }

  /** Why an epoch is of no use. */
  uncertain(epoch: Epoch): OwnershipUncertain {
    const { session } = this.zk
    const isReplaced = session.id !== epoch.sessionId || session.state._tag === "Expired"
    return new OwnershipUncertain({
      path: this.layout.prefix,
      reason: isReplaced ? "replaced" : epoch.isOver() ? "lapsed" : "unproven",
      remaining: isReplaced ? 0 : Math.max(0, this.remaining),
      needed: this.times.interval + reserve
    })
  }

  /** Milliseconds of the monotonic clock. */
  get now(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  /** Milliseconds between two refreshes. */
  get interval(): number {
    return this.times.interval
  }

  private get present(): Epoch | undefined {
    return this.epoch === undefined || this.epoch.isOver() ? undefined : this.epoch
  }

  /** Milliseconds. */
  private get remaining(): number {
    return Number(this.zk.session.deadline - this.clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  /** An epoch, if something was proved lately. */
  private get start(): Effect.Effect<Epoch | undefined> {
    const { session } = this.zk
    return Effect.gen({ self: this }, function* () {
      const sessionId = session.id
      let hasEnded = false
      const isOver = () => {
        hasEnded ||= session.id !== sessionId || this.remaining <= 0
        return hasEnded
      }
      const epoch = { sessionId, isOver }
      const ended = Effect.sync(() => {
        hasEnded = true
      })
      yield* Effect.forkIn(
        Effect.onExit(session.ownership, () => ended),
        this.scope,
        { startImmediately: true }
      )
      if (epoch.isOver()) return undefined
      this.epoch = epoch
      return epoch
    }).pipe(Effect.provideService(Scheduler.PreventSchedulerYield, true))
  }

  /** A refusal is a commit as well. */
  private get prove(): Effect.Effect<void, InvalidArgument | SessionError> {
    return this.zk.transaction([Op.check(this.layout.shards)]).pipe(
      Effect.catchTag("TransactionFailed", () => Effect.void),
      Effect.asVoid
    )
  }
}
