/**
 * How what a server answered becomes an error of ours.
 */
import type { BadVersion } from "@effect-zookeeper/protocol/ServerError"
import { ProtocolError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import { markMaybeApplied, isLost } from "../Outcome.ts"

interface Tagged {
  readonly _tag: string
}

/** How a write fails that was lost before: that it was not sent again does not say that it was never applied. */
export const lostUnlessAnswered = <E extends Tagged>(error: E, lost: E): E =>
  isLost(error) ? lost : markMaybeApplied(error)

/** An answer that no server gives to this request: its fault, and not a defect here. */
export const invalidReply = (
  { operation, path }: { readonly operation: string; readonly path: string },
  why: string,
  maybeApplied = false
): Effect.Effect<never, ProtocolError> =>
  Effect.fail(new ProtocolError({ operation, path, cause: new Error(why), maybeApplied }))

/** `BadVersion` to a write of any version. */
export const unexpectedBadVersion = (error: BadVersion): Effect.Effect<never, ProtocolError> =>
  invalidReply(error, "BadVersion, where any version would do")

/** The answer has no Stat, though the operation was one that tells it. The znode has been created all the same. */
export const missingStat = (path: string): Effect.Effect<never, ProtocolError> =>
  invalidReply({ operation: "create", path }, "it has no Stat", true)
