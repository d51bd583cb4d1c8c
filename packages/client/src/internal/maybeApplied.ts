/** Whether a write may have been applied, as errors of the session say it. */
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

/** Whether it is an error of the session, which says whether the write may have been applied. */
export const isSessionError = <E extends { readonly _tag: string }>(error: E): error is E & SessionError =>
  // Errors of recipes have the field, too, and are told from these by their tags.
  error instanceof ServerRefused || ("maybeApplied" in error && Object.hasOwn(sessionErrors, error._tag))

/** The same error with this answer. */
export const withMaybeApplied = <E extends SessionError>(error: E, maybeApplied: boolean): E =>
  (error.maybeApplied === true) === maybeApplied ? error : (copyWith(error, maybeApplied) as E)

// ---- internal

const sessionErrors: Readonly<Record<SessionError["_tag"], true>> = {
  AuthFailed: true,
  ConnectionLoss: true,
  FrameTooLarge: true,
  ProtocolError: true,
  RequestTimeout: true,
  ServerRefused: true,
  SessionClosed: true,
  SessionExpired: true
}

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
