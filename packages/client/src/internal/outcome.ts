/**
 * What an error says about the fate of a request.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type { BadVersion } from "@effect-zookeeper/protocol/ServerError"
import { ProtocolError } from "@effect-zookeeper/session/SessionError"
import type { ConnectionLoss, RequestTimeout, SessionError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

interface Tagged {
  readonly _tag: string
}

/** No reply came, whether the request was sent or not. */
export const isLost = <E extends Tagged>(error: E): error is Extract<E, ConnectionLoss | RequestTimeout> =>
  error._tag === "ConnectionLoss" || error._tag === "RequestTimeout"

/** No reply came to what was sent. What was never sent cannot be what is found there afterwards. */
export const mayBeApplied = (error: Tagged | SessionError): boolean =>
  isLost(error) && "maybeApplied" in error && error.maybeApplied

/** How a write fails that was lost before: that it was not sent again does not say that it was never applied. */
export const told = <E extends Tagged>(error: E, lost: E): E => (isLost(error) ? lost : error)

const passing: ReadonlySet<number> = new Set([
  codes.ThrottledOp,
  codes.OperationTimeout,
  codes.RequestTimeout,
  codes.NotReadOnly
])

/** The request may succeed when it is sent again: a lost reply, or a server that is short of something for now. */
export const isTransient = (error: Tagged | SessionError): boolean =>
  isLost(error) || (error._tag === "ServerRefused" && "code" in error && passing.has(error.code))

/** The server does not know the operation. */
export const isUnimplemented = (error: Tagged | SessionError): boolean =>
  error._tag === "ServerRefused" && "code" in error && error.code === codes.Unimplemented

/** An answer that no server gives to this request: its fault, and not a defect here. */
export const badAnswer = (
  { operation, path }: { readonly operation: string; readonly path: string },
  why: string
): Effect.Effect<never, ProtocolError> => Effect.fail(new ProtocolError({ operation, path, cause: new Error(why) }))

/** `BadVersion` to a write of any version. */
export const noVersionIsBad = (error: BadVersion): Effect.Effect<never, ProtocolError> =>
  badAnswer(error, "BadVersion, where any version would do")

/** The answer has no Stat, though the operation was one that tells it. */
export const withoutStat = (path: string): Effect.Effect<never, ProtocolError> =>
  badAnswer({ operation: "create", path }, "it has no Stat")

/** The pauses of what goes on until it is done. */
export const persistently = Schedule.jittered(
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])
)
