/** Ownership by an ephemeral znode: claiming it, learning of its loss, guarding an effect with it, giving it back. */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import { type SessionExpired, TransactionFailed } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { WatchedData } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { withJson } from "@effect-zookeeper/client/Json"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { LockLost, type RecipeError } from "../../Errors.ts"
import type { Held, OnDisconnect, OnRevoke } from "../../Held.ts"
import { delayClose, deleteEphemeral, failIfClosing, isClosing } from "../shared/sessionClose.ts"
import { retryTransient } from "../shared/retry.ts"

/** Something held, for use within recipes. */
export interface Ownership extends Held {
  /** Reads the clocks: what has run out by now is lost, even if nothing has reported it yet. */
  readonly isLost: IsLost
  /** Reports that another client has asked for it. */
  readonly markRevoked: () => void
  /** Reports that it is no longer held; the first reason stays. */
  readonly markLost: (reason: LockLost["reason"]) => void
  /** The same, and fails with the loss. */
  readonly failLost: (reason: LockLost["reason"]) => Effect.Effect<never, LockLost>
  /**
   * Gives it back by an effect that deletes the znode itself. The event of the deletion comes before the reply: only the
   * result tells whether it is a loss.
   */
  readonly releaseBy: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** What ends a hold beside its session and its znode. */
export interface LossPolicy {
  readonly onDisconnect: OnDisconnect
  readonly onRevoke: OnRevoke
}

/** The data with which a holder is asked to give its znode up, as Curator writes it. */
export const REVOKE = "__REVOKE__"

/**
 * Claims the ownership that an ephemeral znode gives; undefined when the znode is gone or is another session's. Watches
 * for the loss until the Scope closes.
 */
export const claim = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  path: string,
  policy: LossPolicy,
  scope: Scope.Scope
): Effect.fn.Return<Ownership | undefined, RecipeError> {
  while (true) {
    yield* failIfClosing(zk)
    const hasEnded = yield* makeHasSessionEnded(zk)
    const attemptScope = yield* Scope.fork(scope)
    const { owner, ownership } = yield* retryTransient(watchScoped(lookAtOwnZnode(zk, path, hasEnded))).pipe(
      Effect.provideService(Scope.Scope, attemptScope),
      Effect.catchTag("NoNode", () => Effect.succeed(noOwnZnode))
    )
    if (ownership !== undefined && (yield* isSessionProven(zk, path))) {
      const loseOn = (loss: Effect.Effect<LockLost["reason"]>) =>
        Effect.forkIn(Effect.map(loss, ownership.markLost), attemptScope, { startImmediately: true })
      // Ownership first, the session afterwards: if the session is replaced in between, one of the two notices.
      for (const loss of lossesBeside(zk, policy)) yield* loseOn(loss)
      if (owner === zk.session.id && !ownership.isLost()) {
        // A znode that was asked for while it waited is owned and lost at once: another attempt would find the same.
        if (policy.onRevoke === "stop") yield* loseOn(Effect.as(ownership.revocation, "revoked"))
        // Guarded effects end before a close of the session would give it to other clients.
        yield* delayClose(zk, "ephemeral", attemptScope)
        return ownership
      }
      ownership.markLost("session")
    }
    yield* Scope.close(attemptScope, Exit.void)
    if (ownership === undefined || owner !== zk.session.id) return undefined
    // The answer came too late to prove anything. The pause keeps a session that never gets one in time from a busy loop.
    yield* Effect.sleep(zk.session.timeout / 16)
  }
})

/** `lost` fails with this after its holder has given it back. */
class Released extends LockLost {}

/** Whether an error only says that the holder itself has given it back. */
export const isReleased = (error: unknown): boolean => error instanceof Released

/** The part of a hold that a guard needs. */
export interface LossSignal<Loss = LockLost> {
  readonly lost: Effect.Effect<never, Loss>
  readonly isLost?: IsLost | undefined
}

/** With `isFresh: false` it may skip a check that is expensive and seldom changes: leaps of the wall clock. */
type IsLost = (isFresh?: boolean) => boolean

/**
 * Runs an effect for as long as something is held: a loss interrupts the effect, and `LockLost` is reported once its
 * finalizers have run. If it is lost already, the effect does not begin.
 *
 * After a standstill of the process the timers of the effect may be due before the one that reports the loss. So the
 * clocks are read before each step of the effect, and after a loss no further step is taken.
 */
export const guard = <A, E, R, Loss>(
  held: LossSignal<Loss>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | Loss, R> => {
  const { isLost } = held
  if (isLost === undefined) return Effect.raceFirst(held.lost, effect)
  return Effect.flatMap(Scheduler.Scheduler, (scheduler) => {
    if (isLost()) return held.lost
    const guarding = new GuardingScheduler(scheduler, isLost)
    const lost = Effect.onExit(held.lost, () => Effect.sync(() => guarding.stop()))
    return Effect.raceFirst(lost, Effect.provideService(effect, Scheduler.Scheduler, guarding))
  })
}

/**
 * Reads the clocks for all that the guards around this effect hold, for work that is not an effect and so takes its steps
 * unseen by the guards.
 */
export const isLostAround: Effect.Effect<() => boolean> = Effect.map(
  Scheduler.Scheduler,
  (scheduler) => () => scheduler instanceof GuardingScheduler && scheduler.isAnyLost()
)

/** Reads the clocks before each operation of the fibers that it runs. */
class GuardingScheduler implements Scheduler.Scheduler {
  readonly executionMode: "sync" | "async"
  private readonly scheduler: Scheduler.Scheduler
  private readonly isLost: IsLost
  private isStopped = false

  constructor(scheduler: Scheduler.Scheduler, isLost: IsLost) {
    this.executionMode = scheduler.executionMode
    this.scheduler = scheduler
    this.isLost = isLost
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    // A fiber that goes on after a wait is at its first operation. Yielding lets the interruption of a loss arrive.
    if (!this.isStopped && this.isLost(fiber.currentOpCount <= 1)) {
      this.stop()
      return true
    }
    return this.scheduler.shouldYield(fiber)
  }

  /** Of this guard and of those around it. */
  isAnyLost(): boolean {
    return this.isLost() || (this.scheduler instanceof GuardingScheduler && this.scheduler.isAnyLost())
  }

  /** The loss is reported: finalizers run without a look at the clocks. */
  stop(): void {
    this.isStopped = true
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.scheduler.makeDispatcher()
  }
}

/** Gives it back, and only then stops watching: the deletion uses up the watch. */
export const release = (zk: ZooKeeper.Service, ownership: Ownership): Effect.Effect<void> =>
  Effect.suspend(() => {
    ownership.markLost(releaseReason(zk))
    return deleteEphemeral(zk, ownership.path)
  })

/**
 * Why it is no longer held once its Scope closes: the holder gave it back, or the client was closed, which is to be told.
 */
export const releaseReason = (zk: ZooKeeper.Service): "released" | "closed" => (isClosing(zk) ? "closed" : "released")

/**
 * An ownership whose loss is not watched yet. `checks` have to hold at the server for each write of the holder; `hasEnded`
 * says that the time of the hold is over.
 */
export const makeOwnership = (
  zk: ZooKeeper.Service,
  path: string,
  fencingToken: bigint,
  options: { readonly checks?: () => ReadonlyArray<Op.Check>; readonly hasEnded?: IsLost } = {}
): Ownership => {
  const { checks = () => [Op.check(path)], hasEnded = () => false } = options
  const lost = Deferred.makeUnsafe<never, LockLost>()
  const revoked = Latch.makeUnsafe()
  let loss: LockLost["reason"] | undefined
  let releasing = 0
  let isDeleted = false
  const markLost = (reason: LockLost["reason"]): void => {
    if (loss !== undefined) return
    if (reason === "deleted" && releasing > 0) {
      isDeleted = true
      return
    }
    loss = reason
    // A distinct error: a transaction that comes too late fails with the loss, which has to be reported. Either is made when
    // it is asked for: most holds are given back, and an error costs more than a request.
    const error = () => (reason === "released" ? new Released({ path, reason }) : new LockLost({ path, reason }))
    Deferred.doneUnsafe(lost, Effect.failSync(error))
  }
  const isLost: IsLost = (isFresh) => {
    if (loss === undefined && hasEnded(isFresh)) markLost(endReason(zk))
    return loss !== undefined
  }
  const failLost = (reason: LockLost["reason"]) =>
    Effect.failSync(() => {
      markLost(reason)
      return new LockLost({ path, reason: loss ?? reason })
    })
  const releaseBy = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      releasing++
      return Effect.onExit(effect, (exit) =>
        Effect.sync(() => {
          releasing--
          if (Exit.isSuccess(exit)) markLost("released")
          else if (isDeleted) markLost("deleted")
        })
      )
    })
  return withJson({
    path,
    fencingToken,
    lost: Deferred.await(lost),
    revocation: Effect.asVoid(revoked.await),
    markRevoked: () => void revoked.openUnsafe(),
    isLost,
    markLost,
    failLost,
    releaseBy,
    // A refusal by the server reports the loss too, if nothing has before.
    transaction: (ops) => Effect.suspend(() => fencedTransaction(zk, checks(), ops, { failLost, isLost }))
  })
}

// ---- internal

/** Why the session owns nothing any more. */
const endReason = (zk: ZooKeeper.Service): LockLost["reason"] => (isClosing(zk) ? "closed" : "session")

/**
 * Whether the ensemble provably holds the session, and for a while: it has committed a write of it lately, or does so now. A
 * server that is cut off from the others goes on showing a znode long after the others have ended its session.
 *
 * A session that waits for its turn proves nothing meanwhile. The earlier proof may run out just when the turn comes,
 * so that the hold would be lost before another proof could be answered.
 */
const isSessionProven = (zk: ZooKeeper.Service, path: string): Effect.Effect<boolean, RecipeError> => {
  const hasLeft = (part: number) =>
    Effect.map(
      Clock.monotonicTimeNanos,
      (now) => Number(zk.session.deadline - now) >= zk.session.timeout * 1_000_000 * part
    )
  const prove = retryTransient(zk.transaction([Op.check(path)])).pipe(
    // A refusal is a proof as well; the next look shows what has become of the znode.
    Effect.catchTag("TransactionFailed", () => Effect.void)
  )
  return Effect.flatMap(hasLeft(1 / 4), (has) => (has ? Effect.succeed(true) : Effect.andThen(prove, hasLeft(1 / 16))))
}

/**
 * Whether the time of the session is over. The deadline that was read last holds until then, unless the machine slept.
 */
const makeHasSessionEnded = (zk: ZooKeeper.Service): Effect.Effect<IsLost> =>
  Effect.map(Clock.Clock, (clock) => {
    let deadline = 0n
    return (isFresh = true) => {
      const now = clock.monotonicTimeNanosUnsafe()
      if (!isFresh && now < deadline) return false
      deadline = zk.session.deadline
      return now >= deadline
    }
  })

/** What ends a hold beside the deletion of its znode and a request to give it up. */
const lossesBeside = (
  zk: ZooKeeper.Service,
  { onDisconnect }: LossPolicy
): ReadonlyArray<Effect.Effect<LockLost["reason"]>> => {
  const session = Effect.catch(zk.session.ownership, () => Effect.succeed(endReason(zk)))
  return onDisconnect === "stop" ? [session, awaitDisconnect(zk)] : [session]
}

/** The ownership that a znode gives, if it is ours. Its deletion is reported by the wait for its change. */
const lookAtOwnZnode = (zk: ZooKeeper.Service, path: string, hasEnded: IsLost) =>
  Effect.map(zk.getAndWatch(path), ({ changed, data, stat }) => {
    if (stat.ephemeralOwner !== zk.session.id) return { ...noOwnZnode, changed }
    const ownership = makeOwnership(zk, path, stat.czxid, { hasEnded })
    if (isRevoke(data)) ownership.markRevoked()
    const deleted = Effect.map(awaitDeletion(zk, ownership, changed), ownership.markLost)
    return { owner: stat.ephemeralOwner, ownership, changed: deleted }
  })

const noOwnZnode = { owner: 0n, ownership: undefined }

/**
 * Waits for the deletion of our znode; other changes of it do not matter, but for a request to give it up. While the
 * connection was lost it may have been deleted and another created at its path, which is reported as a change.
 */
const awaitDeletion = (
  zk: ZooKeeper.Service,
  { fencingToken, markRevoked, path }: Ownership,
  changed: WatchedData["changed"]
): Effect.Effect<LockLost["reason"]> =>
  Effect.gen(function* () {
    let { type } = yield* changed
    while (type !== "NodeDeleted") {
      const again = Effect.scoped(
        Effect.flatMap(retryTransient(watchScoped(zk.getAndWatch(path))), ({ data, nextChange, stat }) => {
          if (stat.czxid !== fencingToken) return Effect.undefined
          if (isRevoke(data)) markRevoked()
          return Fiber.join(nextChange)
        })
      )
      type = (yield* again)?.type ?? "NodeDeleted"
    }
    return "deleted" as const
  }).pipe(
    Effect.catchTag("NoNode", () => Effect.succeed("deleted" as const)),
    Effect.catchTag(["SessionExpired", "SessionClosed"], () => Effect.succeed(endReason(zk))),
    // No watch tells of a deletion any more.
    Effect.catchIf(Outcome.isGivenUp, () => Effect.succeed(endReason(zk))),
    // Without the right to read, the session's ownership still reports the loss.
    Effect.catch(() => Effect.never)
  )

const isRevoke = (data: Uint8Array): boolean =>
  data.byteLength === REVOKE.length && new TextDecoder().decode(data) === REVOKE

const awaitDisconnect = (zk: ZooKeeper.Service): Effect.Effect<LockLost["reason"]> =>
  zk.session.states.pipe(
    Stream.takeUntil((state) => state._tag !== "Connected"),
    Stream.runDrain,
    Effect.as("disconnected" as const)
  )

const fencedTransaction = <const Ops extends ReadonlyArray<Op.Write>>(
  zk: ZooKeeper.Service,
  checks: ReadonlyArray<Op.Check>,
  ops: Ops,
  { failLost, isLost }: Pick<Ownership, "failLost" | "isLost">
) =>
  zk.transaction([...checks, ...ops]).pipe(
    // The first results are those of the checks; the rest are in the order of `ops`.
    Effect.map((results) => results.slice(checks.length) as Op.WriteResults<Ops>),
    Effect.catchTag(
      "TransactionFailed",
      ({ error, index, results }): Effect.Effect<never, LockLost | TransactionFailed> =>
        index < checks.length
          ? failLost("deleted")
          : Effect.fail(
              new TransactionFailed({ index: index - checks.length, error, results: results.slice(checks.length) })
            )
    ),
    // It waited for a connection when the session was found to be over. Nothing was sent.
    Effect.catchTag("SessionExpired", (error): Effect.Effect<never, LockLost | SessionExpired> =>
      isLost() && !error.maybeApplied ? failLost(endReason(zk)) : Effect.fail(error)
    )
  )
