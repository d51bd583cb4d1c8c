/**
 * The errors that the client makes of a server's answers.
 */
import type { BadVersion } from "@effect-zookeeper/protocol/ServerError"
import { ProtocolError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import { markMaybeApplied, isLost } from "../Outcome.ts"

interface Tagged {
  readonly _tag: string
}

/** The error of a write that was lost in an earlier attempt: a failure to send it again does not say that it was not applied. */
export const lostUnlessAnswered = <E extends Tagged>(error: E, lost: E): E =>
  isLost(error) ? lost : markMaybeApplied(error)

/** The error for an answer that does not fit the request. It is the server's fault, and not a defect of the client. */
export const invalidReply = (
  { operation, path }: { readonly operation: string; readonly path: string },
  why: string,
  maybeApplied = false
): Effect.Effect<never, ProtocolError> =>
  Effect.fail(new ProtocolError({ operation, path, cause: new Error(why), maybeApplied }))

/** The error for `BadVersion` in answer to a write of any version. */
export const unexpectedBadVersion = (error: BadVersion): Effect.Effect<never, ProtocolError> =>
  invalidReply(error, "the server answered BadVersion to a request for any version")

/** The error for a create whose answer lacks its Stat. The znode was created nevertheless. */
export const missingStat = (path: string): Effect.Effect<never, ProtocolError> =>
  invalidReply({ operation: "create", path }, "the answer has no Stat", true)
