/**
 * What an error says about the fate of a request, and what may be done about it.
 *
 * ```ts
 * Outcome.retryTransient(zk.set("/config", data, version), { while: (error) => !Outcome.mayBeApplied(error) })
 * ```
 *
 * @since 0.1.0
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import {
  AuthFailed,
  ConnectionLoss,
  FrameTooLarge,
  MAX_LOSSES,
  ProtocolError,
  RequestTimeout,
  ServerRefused,
  SessionClosed,
  SessionExpired
} from "@effect-zookeeper/session/SessionError"
import type { SessionError } from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

interface Tagged {
  readonly _tag: string
}

/**
 * No reply came, whether the request was sent or not.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isLost = <E extends Tagged>(error: E): error is Extract<E, ConnectionLoss | RequestTimeout> =>
  error._tag === "ConnectionLoss" || error._tag === "RequestTimeout"

/**
 * Whether the write that failed may have been applied all the same, so that what is found there afterwards may be its doing:
 * no reply came to what was sent, or none that tells, or the session ended before that could be learnt. What was never sent
 * cannot be what is found there.
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
 * So many connections were lost while the request was with a server that it is not sent again: `MAX_LOSSES`.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isGivenUp = (error: unknown): boolean => error instanceof ConnectionLoss && error.losses >= MAX_LOSSES

/**
 * The request may succeed when it is sent again: a lost reply, unless the request has been given up, or a server that is
 * short of something for now.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isTransient = (error: Tagged | SessionError): boolean =>
  (isLost(error) && !isGivenUp(error)) ||
  (error._tag === "ServerRefused" && "code" in error && transientCodes.has(error.code))

/**
 * The server does not know the operation.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUnimplemented = (error: Tagged | SessionError): boolean =>
  error._tag === "ServerRefused" && "code" in error && error.code === codes.Unimplemented

/**
 * The pauses of what goes on until it is done: from 100 milliseconds, doubling up to 5 seconds, with jitter. After a lost
 * connection 250 milliseconds at most, for the session makes pauses of its own before the next one stands.
 *
 * It ends when `MAX_LOSSES` connections were lost while the request was with a server, and goes on otherwise.
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
 * Asks again for as long as that may help: for reads, and for writes that may be applied twice. `while` says which of the
 * errors that `isTransient` names it is done for; all of them if left out.
 *
 * What loses `MAX_LOSSES` connections fails with `ConnectionLoss`, whose message says what may be the reason.
 *
 * @category combinators
 * @since 0.1.0
 */
export const retryTransient = <A, E extends Tagged, R>(
  effect: Effect.Effect<A, E, R>,
  options: { readonly while?: (error: E) => boolean } = {}
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const total = totalLosses()
    return effect.pipe(
      Effect.tapError((error) => Effect.sync(() => total.add(error))),
      Effect.retry({
        while: (error) => isTransient(error) && !total.isGivenUp && (options.while?.(error) ?? true),
        schedule: backoff
      }),
      Effect.mapError(total.withTotal)
    )
  })

/**
 * The lost connections of one request, attempts that repeat it counted together.
 *
 * @category models
 * @since 0.1.0
 */
export interface TotalLosses {
  /** Counts those of an attempt that has failed. */
  readonly add: (error: unknown) => void
  readonly isGivenUp: boolean
  /** The error; one of a lost connection tells of all of them. */
  readonly withTotal: <E>(error: E) => E
}

/**
 * Counts the connections that were lost while a request was with a server, for a loop of one's own that repeats it.
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
      // What is given back is of the class that was given.
      error instanceof ConnectionLoss ? (new ConnectionLoss({ ...error, losses }) as E & ConnectionLoss) : error
  }
}

/**
 * Whether a session that has expired is followed by another: what failed with `SessionExpired` may be asked again then.
 * Under `sessionExpiry: "fail"` none follows.
 *
 * @category getters
 * @since 0.1.0
 */
export const isSessionReplaced = (session: SessionInfo): Effect.Effect<boolean> =>
  // An expired session that is replaced is being connected by the time that others run.
  Effect.map(Effect.yieldNow, () => session.state._tag !== "Expired")

/**
 * An error that comes after a write which may have been applied, or was: it says so. For who looks what has become of a write
 * and cannot: that the look has failed must not hide that the write may stand.
 *
 * @category mapping
 * @since 0.1.0
 */
export const markMaybeApplied = <E extends Tagged>(error: E): E =>
  isSessionError(error) ? withMaybeApplied(error, true) : error

/**
 * An error after which it was seen that nothing was applied: it says that.
 *
 * @category mapping
 * @since 0.1.0
 */
export const markUnapplied = <E extends Tagged>(error: E): E =>
  isSessionError(error) ? withMaybeApplied(error, false) : error

const isSessionError = <E extends Tagged>(error: E): error is E & SessionError =>
  error instanceof ServerRefused || ("maybeApplied" in error && error._tag !== "OutcomeUnknown")

/** The same error with the other answer. */
const withMaybeApplied = <E extends SessionError>(error: E, maybeApplied: boolean): E =>
  mayBeApplied(error) === maybeApplied ? error : (copyWith(error, maybeApplied) as E)

const copyWith = (error: SessionError, maybeApplied: boolean): SessionError => {
  switch (error._tag) {
    case "AuthFailed":
      return new AuthFailed({ ...error, maybeApplied })
    case "ConnectionLoss":
      return new ConnectionLoss({ ...error, maybeApplied })
    case "FrameTooLarge":
      return new FrameTooLarge({ ...error, maybeApplied })
    case "ProtocolError":
      return new ProtocolError({ ...error, cause: error.cause, maybeApplied })
    case "RequestTimeout":
      return new RequestTimeout({ ...error, maybeApplied })
    case "ServerRefused": {
      const { code, name, operation, path } = error
      return new ServerRefused({ operation, path, code, name, ...(maybeApplied ? { maybeApplied } : {}) })
    }
    case "SessionClosed":
      return new SessionClosed({ maybeApplied })
    case "SessionExpired":
      return new SessionExpired({ ...error, maybeApplied })
  }
}
