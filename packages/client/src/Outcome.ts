/**
 * Tells from an error what became of a request, and whether it can be repeated.
 *
 * A request is *transient* if it may succeed when it is sent again, *lost* if no reply came, and *given up* after eight lost
 * connections. A write *may be applied* although it failed.
 *
 * @example
 * ```ts
 * import { Outcome, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * // Repeats a write that was not applied, and leaves it to the caller where that is unknown.
 * export const save = (data: string, version: number) =>
 *   Effect.flatMap(ZooKeeper.ZooKeeper, (zk) =>
 *     Outcome.retryTransient(zk.set("/config", data, version), { while: (error) => !Outcome.mayBeApplied(error) })
 *   )
 * ```
 *
 * @since 0.1.0
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import {
  ConnectionLoss,
  MAX_LOSSES,
  type RequestTimeout,
  type SessionError
} from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { isSessionError, withMaybeApplied } from "./internal/maybeApplied.ts"
import { check } from "./Op.ts"
import type { Service } from "./Service.ts"

interface Tagged {
  readonly _tag: string
}

/**
 * Whether no reply came: `ConnectionLoss` or `RequestTimeout`. The request may or may not have been sent.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isLost = <E extends Tagged>(error: E): error is Extract<E, ConnectionLoss | RequestTimeout> =>
  error._tag === "ConnectionLoss" || error._tag === "RequestTimeout"

/**
 * Whether the write that failed may have been applied: no reply came after it was sent, or none that says so, or the session
 * ended first. Look at the znode then before you write again. A request that was never sent is not applied.
 *
 * @category predicates
 * @since 0.1.0
 */
export const mayBeApplied = (error: Tagged | SessionError): boolean =>
  "maybeApplied" in error && error.maybeApplied === true

const transientCodes: ReadonlySet<number> = new Set([
  codes.ThrottledOp,
  codes.OperationTimeout,
  codes.RequestTimeout,
  codes.NotReadOnly
])

/**
 * Whether the request is not sent again because eight connections (`MAX_LOSSES`) were lost while it was with a server.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isGivenUp = (error: unknown): boolean => error instanceof ConnectionLoss && error.losses >= MAX_LOSSES

/**
 * Whether the request may succeed when it is sent again: the reply was lost, and the request is not given up, or the server
 * refused it for the moment (throttled, timed out, read-only).
 *
 * @category predicates
 * @since 0.1.0
 */
export const isTransient = (error: Tagged | SessionError): boolean =>
  (isLost(error) && !isGivenUp(error)) ||
  (error._tag === "ServerRefused" && "code" in error && transientCodes.has(error.code))

/**
 * Whether the server does not know the operation, because it is too old for it.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUnimplemented = (error: Tagged | SessionError): boolean =>
  error._tag === "ServerRefused" && "code" in error && error.code === codes.Unimplemented

/**
 * Pauses for a request that is repeated until it is done: from 100 milliseconds, doubling up to 5 seconds, with jitter. After
 * a lost connection they are 250 milliseconds at most, because the session makes its own pauses before it reconnects.
 *
 * The schedule ends when eight connections (`MAX_LOSSES`) were lost while the request was with a server.
 *
 * @category schedules
 * @since 0.1.0
 */
export const backoff: Schedule.Schedule<number> = Schedule.jittered(
  Schedule.fromStep(
    Effect.sync(() => {
      const total = totalLosses()
      let pause = 100
      return (_now: number, input: unknown) => {
        total.add(input)
        const millis = input instanceof ConnectionLoss ? Math.min(pause, 250) : pause
        if (total.isGivenUp) return Cause.done(millis)
        pause = Math.min(pause * 2, 5000)
        return Effect.succeed<[number, Duration.Duration]>([millis, Duration.millis(millis)])
      }
    })
  )
)

/**
 * Milliseconds before the next attempt at something that will not soon succeed, such as a request that was given up: about a
 * minute, with jitter, so that clients do not come back at the same moment.
 *
 * @category schedules
 * @since 0.1.0
 */
export const longPause: Effect.Effect<number> = Random.nextBetween(48_000, 72_000)

/**
 * Repeats a request while its error is transient ({@link isTransient}), with the pauses of {@link backoff}. Use it for reads,
 * and for writes that may be applied twice. `while` narrows the errors after which it is repeated. Default: all that are
 * transient.
 *
 * A request that loses eight connections fails with `ConnectionLoss`, whose message says what may be the reason. Every
 * other error passes at once. If any attempt may have been applied, the error says so with `maybeApplied: true`, whatever
 * became of the last one.
 *
 * @example
 * ```ts
 * import { Outcome, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const config = Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => Outcome.retryTransient(zk.get("/config")))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const retryTransient = <A, E extends Tagged, R>(
  effect: Effect.Effect<A, E, R>,
  options: { readonly while?: (error: E) => boolean } = {}
): Effect.Effect<A, E, R> =>
  Effect.catch(effect, (error) => {
    const attempts = rememberAttempts()
    return Effect.mapError(retryAfter(error, effect, attempts, options.while), attempts.describe)
  })

/**
 * `retryTransient`, and again in the session that replaces an expired one, if one does. Only for reads, and for writes that may
 * be applied twice. Under `sessionExpiry: "fail"` it fails with `SessionExpired`.
 *
 * @example
 * ```ts
 * import { Outcome, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const config = Effect.flatMap(ZooKeeper.ZooKeeper, (zk) =>
 *   Outcome.retryAcrossSessions(zk.session, zk.get("/config"))
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const retryAcrossSessions = <A, E extends Tagged, R>(
  session: SessionInfo,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.catch(effect, (error) => {
    const attempts = rememberAttempts()
    const across = (failure: E): Effect.Effect<A, E, R> =>
      Effect.catch(retryAfter(failure, effect, attempts), (last) =>
        Effect.flatMap(isReplacedExpiry(session, last), (isReplaced) => {
          if (!isReplaced) return Effect.fail(last)
          // Each session has its own total.
          attempts.beginAnew()
          return Effect.catch(effect, across)
        })
      )
    return Effect.mapError(across(error), attempts.describe)
  })

/**
 * Makes one attempt about once a minute ({@link longPause}) until one succeeds, or fails with an error that is neither transient
 * nor that of a request that was given up. Use it in the background, after {@link retryTransient} has given up, for a request that
 * must be done whenever that becomes possible. Each attempt may cost a connection, and the end of the session ends it.
 *
 * @example
 * ```ts
 * import { Outcome, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * // The name has an id in it, so that no later znode has this path.
 * export const unregister = (member: string) =>
 *   Effect.flatMap(ZooKeeper.ZooKeeper, (zk) =>
 *     Outcome.retryRarely(zk.delete(member)).pipe(Effect.catchTag("NoNode", () => Effect.void))
 *   )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const retryRarely = <A, E extends Tagged, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const attempts = rememberAttempts()
    const next: Effect.Effect<A, E, R> = Effect.flatMap(longPause, Effect.sleep).pipe(
      Effect.andThen(effect),
      Effect.catch((error) => {
        attempts.add(error)
        return isTransient(error) || isGivenUp(error) ? next : Effect.fail(error)
      })
    )
    return Effect.mapError(next, attempts.describe)
  })

/**
 * Waits until a quorum has committed a transaction that changes nothing. A read that follows shows what became of each write that
 * the client has sent before; use it after a lost reply. `sync` is not enough for that: it asks the leader alone, and one that
 * others have replaced answers from an old state until it notices.
 *
 * @example
 * ```ts
 * import { Outcome, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const isThere = (path: string) =>
 *   Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => Effect.andThen(Outcome.settle(zk), zk.exists(path)))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const settle = (zk: Pick<Service, "transaction">): Effect.Effect<void, InvalidArgument | SessionError> =>
  zk.transaction([check("/")]).pipe(
    // A check that is refused is committed as well.
    Effect.catchTag("TransactionFailed", () => Effect.void),
    Effect.asVoid,
    Effect.mapError(markUnapplied)
  )

/**
 * The lost connections of one request, over all of its attempts; {@link totalLosses} makes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TotalLosses {
  /** Adds those of an attempt that has failed with this error. */
  readonly add: (error: unknown) => void
  /** Whether there are so many that the request must not be sent again. */
  readonly isGivenUp: boolean
  /** The same error; a `ConnectionLoss` has the total in `losses`. */
  readonly withTotal: <E>(error: E) => E
}

/**
 * Counts the connections that were lost while a request was with a server. Use it in your own loop that repeats a request.
 *
 * @example
 * ```ts
 * import { Outcome, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const children = Effect.suspend(() => {
 *   const total = Outcome.totalLosses()
 *   return Effect.flatMap(ZooKeeper.ZooKeeper, (zk) => zk.getChildren("/jobs")).pipe(
 *     Effect.tapError((error) => Effect.sync(() => total.add(error))),
 *     Effect.retry({ while: (error) => Outcome.isLost(error) && !total.isGivenUp }),
 *     Effect.mapError(total.withTotal)
 *   )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const totalLosses = (): TotalLosses => {
  let losses = 0
  return {
    add: (error) => {
      if (error instanceof ConnectionLoss) losses += error.losses
    },
    get isGivenUp() {
      return losses >= MAX_LOSSES
    },
    withTotal: <E>(error: E): E =>
      // The copy has the class of the error.
      error instanceof ConnectionLoss ? (new ConnectionLoss({ ...error, losses }) as E & ConnectionLoss) : error
  }
}

/**
 * Whether a new session follows the one that has expired. A request that failed with `SessionExpired` can be sent again then.
 * Under `sessionExpiry: "fail"` none follows.
 *
 * @category getters
 * @since 0.1.0
 */
export const isSessionReplaced = (session: SessionInfo): Effect.Effect<boolean> =>
  // By the time that other fibers have run, a session that is replaced is connecting.
  Effect.map(Effect.yieldNow, () => session.state._tag !== "Expired")

/**
 * Whether an error is the expiry of a session that another one follows; see {@link isSessionReplaced}.
 *
 * @category getters
 * @since 0.1.0
 */
export const isReplacedExpiry = (session: SessionInfo, error: Tagged): Effect.Effect<boolean> =>
  error._tag === "SessionExpired" ? isSessionReplaced(session) : Effect.succeed(false)

/**
 * The next step after a request has failed; see `classifyFailure`.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure = "lost" | "transient" | "renewed" | "final"

/**
 * The next step after a request has failed, for a loop of your own that repeats it.
 *
 * - `lost`: the write may have been applied. Read what is there before you send it again.
 * - `transient`: it was not applied, and may succeed after a pause.
 * - `renewed`: it was not applied, its session has expired, and another one follows. Send it again, unless it relies on
 *   something that the old session owned.
 * - `final`: give up.
 *
 * It does not count lost connections; see `totalLosses`.
 *
 * @example
 * ```ts
 * import { Outcome, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const offer = Effect.flatMap(ZooKeeper.ZooKeeper, (zk) =>
 *   Effect.tapError(zk.set("/config", "on", 3), (error) =>
 *     Effect.flatMap(Outcome.classifyFailure(zk.session, error), (next) => Effect.log(`the write is ${next}`))
 *   )
 * )
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const classifyFailure = (session: SessionInfo, error: Tagged | SessionError): Effect.Effect<Failure> => {
  if (mayBeApplied(error)) return Effect.succeed("lost")
  if (isLost(error) || isTransient(error)) return Effect.succeed("transient")
  return Effect.map(isReplacedExpiry(session, error), (isReplaced) => (isReplaced ? "renewed" : "final"))
}

/**
 * The same error with `maybeApplied: true`. Use it for an error that comes after a write which may have been applied, such as
 * that of a read which was to find out: the failed read must not hide that the write may be there.
 *
 * @category mapping
 * @since 0.1.0
 */
export const markMaybeApplied = <E extends Tagged>(error: E): E =>
  isSessionError(error) ? withMaybeApplied(error, true) : error

/**
 * The same error with `maybeApplied: false`. Use it when a read has shown that nothing was applied.
 *
 * @category mapping
 * @since 0.1.0
 */
export const markUnapplied = <E extends Tagged>(error: E): E =>
  isSessionError(error) ? withMaybeApplied(error, false) : error

/** What became of the attempts that have failed. */
interface Attempts {
  readonly add: (error: Tagged) => void
  readonly isGivenUp: () => boolean
  /** The lost connections are counted from here. */
  readonly beginAnew: () => void
  /** The error at the end: with all losses, and `maybeApplied` if any attempt may have been applied. */
  readonly describe: <E extends Tagged>(error: E) => E
}

const rememberAttempts = (): Attempts => {
  let total = totalLosses()
  let isAnyLost = false
  return {
    add: (error) => {
      total.add(error)
      isAnyLost ||= mayBeApplied(error)
    },
    isGivenUp: () => total.isGivenUp,
    beginAnew: () => {
      total = totalLosses()
    },
    describe: (error) => {
      const counted = total.withTotal(error)
      return isAnyLost ? markMaybeApplied(counted) : counted
    }
  }
}

/**
 * Repeats an effect that has failed, while its error is transient. A request that succeeds at once, as nearly all do, costs
 * neither a schedule nor a record of attempts.
 */
const retryAfter = <A, E extends Tagged, R>(
  first: E,
  effect: Effect.Effect<A, E, R>,
  attempts: Attempts,
  isRepeated: (error: E) => boolean = () => true
): Effect.Effect<A, E, R> => {
  const isFinal = (error: E): boolean => {
    attempts.add(error)
    return !isTransient(error) || attempts.isGivenUp() || !isRepeated(error)
  }
  if (isFinal(first)) return Effect.fail(first)
  return Effect.flatMap(Schedule.toStepWithSleep(backoff), (pause) => {
    const next = Effect.catch(effect, (error) => (isFinal(error) ? Effect.fail(error) : again(error)))
    // The schedule ends by a count of losses of its own.
    const pauseOrFail = (last: E) => Effect.catch(pause(last), () => Effect.fail(last))
    const again = (error: E): Effect.Effect<A, E, R> => Effect.andThen(pauseOrFail(error), next)
    return again(first)
  })
}
