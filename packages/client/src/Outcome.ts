/**
 * What an error says about the fate of a request, and what may be done about it.
 *
 * ```ts
 * zk.set("/config", data, version).pipe(
 *   Effect.retry({ while: (error) => Outcome.isTransient(error) && !Outcome.mayBeApplied(error), schedule: Outcome.persistently })
 * )
 * ```
 *
 * @since 0.1.0
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type { SessionInfo } from "@effect-zookeeper/session/Session"
import type { ConnectionLoss, RequestTimeout, SessionError } from "@effect-zookeeper/session/SessionError"
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
export const mayBeApplied = (error: Tagged | SessionError): boolean => "maybeApplied" in error && error.maybeApplied

const passing: ReadonlySet<number> = new Set([
  codes.ThrottledOp,
  codes.OperationTimeout,
  codes.RequestTimeout,
  codes.NotReadOnly
])

/**
 * The request may succeed when it is sent again: a lost reply, or a server that is short of something for now.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isTransient = (error: Tagged | SessionError): boolean =>
  isLost(error) || (error._tag === "ServerRefused" && "code" in error && passing.has(error.code))

/**
 * The server does not know the operation.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUnimplemented = (error: Tagged | SessionError): boolean =>
  error._tag === "ServerRefused" && "code" in error && error.code === codes.Unimplemented

/**
 * The pauses of what goes on until it is done: from 100 milliseconds, doubling up to 5 seconds, with jitter, forever.
 *
 * @category schedules
 * @since 0.1.0
 */
export const persistently = Schedule.jittered(
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])
)

/**
 * Whether a session that has expired is followed by another: what failed with `SessionExpired` may be asked again then.
 * Under `sessionExpiry: "fail"` none follows.
 *
 * @category getters
 * @since 0.1.0
 */
export const isFollowed = (session: SessionInfo): Effect.Effect<boolean> =>
  // An expired session that is replaced is being connected by the time that others run.
  Effect.map(Effect.yieldNow, () => session.state._tag !== "Expired")
