/**
 * How what a server answered becomes an error of ours.
 */
import type { BadVersion } from "@effect-zookeeper/protocol/ServerError"
import {
  AuthFailed,
  ConnectionLoss,
  FrameTooLarge,
  ProtocolError,
  RequestTimeout,
  ServerRefused,
  SessionClosed,
  type SessionError,
  SessionExpired
} from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import { isLost } from "../Outcome.ts"

interface Tagged {
  readonly _tag: string
}

/** How a write fails that was lost before: that it was not sent again does not say that it was never applied. */
export const told = <E extends Tagged>(error: E | SessionError, lost: E): E | SessionError =>
  isLost(error) ? lost : afterWrite(error)

/** An error that comes after a write which may have been applied, or has been: it says so. Others say what they say. */
export const afterWrite = <E extends Tagged>(error: E | SessionError): E | SessionError => {
  if (!isSessionError(error) || error.maybeApplied) return error
  const maybeApplied = true
  switch (error._tag) {
    case "AuthFailed":
      return new AuthFailed({ ...error, maybeApplied })
    case "ConnectionLoss":
      return new ConnectionLoss({ ...error, maybeApplied })
    case "FrameTooLarge":
      return new FrameTooLarge({ ...error, maybeApplied })
    case "ProtocolError":
      return new ProtocolError({ ...error, maybeApplied })
    case "RequestTimeout":
      return new RequestTimeout({ ...error, maybeApplied })
    case "ServerRefused":
      return new ServerRefused({ ...error, maybeApplied })
    case "SessionClosed":
      return new SessionClosed({ maybeApplied })
    case "SessionExpired":
      return new SessionExpired({ ...error, maybeApplied })
  }
}

const isSessionError = <E extends Tagged>(error: E | SessionError): error is SessionError => "maybeApplied" in error

/** An answer that no server gives to this request: its fault, and not a defect here. */
export const badAnswer = (
  { operation, path }: { readonly operation: string; readonly path: string },
  why: string,
  maybeApplied = false
): Effect.Effect<never, ProtocolError> =>
  Effect.fail(new ProtocolError({ operation, path, cause: new Error(why), maybeApplied }))

/** `BadVersion` to a write of any version. */
export const noVersionIsBad = (error: BadVersion): Effect.Effect<never, ProtocolError> =>
  badAnswer(error, "BadVersion, where any version would do")

/** The answer has no Stat, though the operation was one that tells it. The znode has been created all the same. */
export const withoutStat = (path: string): Effect.Effect<never, ProtocolError> =>
  badAnswer({ operation: "create", path }, "it has no Stat", true)
