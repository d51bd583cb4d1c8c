/** The end of what a session has: work that must not begin, a close that waits, ephemeral znodes that are given back. */
import { SessionClosed } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Printable from "@effect-zookeeper/client/Printable"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { retryTransient } from "./retry.ts"

/** Whether the application has begun to close the session. */
export const isClosing = (zk: ZooKeeper.Service): boolean => Option.isSome(zk.session.closing.deadline)

/** Refuses to begin work that a session which is being closed could not hold. */
export const failIfClosing = (zk: ZooKeeper.Service): Effect.Effect<void, SessionClosed> =>
  Effect.suspend(() => (isClosing(zk) ? Effect.fail(new SessionClosed()) : Effect.void))

/** Keeps a close of the session waiting for the Scope, up to the session's limit. */
export const delayClose = (
  zk: ZooKeeper.Service,
  by: "ephemeral" | "persistent",
  scope: Scope.Scope
): Effect.Effect<void> =>
  Effect.uninterruptible(Effect.flatMap(zk.session.closing.hold(by), (release) => Scope.addFinalizer(scope, release)))

/**
 * Deletes our ephemeral znode, and goes on in the background, across reconnections, until it is gone or the session has
 * ended, or until eight connections are lost with it, with a warning in the log. Waits a second at most, and not at all where
 * the session is being closed.
 */
export const deleteEphemeral = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  zk.session.closing.giveBack(deleteUntilGone(zk, path))

/** `deleteEphemeral` without waiting. */
export const deleteInBackground = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  // The delete itself lives with the session, and ends with it.
  Effect.asVoid(Effect.forkDetach(deleteEphemeral(zk, path), { startImmediately: true }))

/**
 * `deleteEphemeral`, but waits until it is done. It repeats the delete by path, without a look: the names of these znodes
 * have a unique id, so that no other client ever has that path.
 */
export const deleteUntilGone = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> => {
  const again = () => Effect.raceFirst(retryTransient(zk.delete(path)), awaitSessionEnd(zk))
  return zk.delete(path).pipe(
    Effect.catchIf(Outcome.isTransient, again),
    Effect.catchTag(["NoNode", "SessionExpired", "SessionClosed"], () => Effect.void),
    Effect.catch((error) => Effect.logWarning(`${Printable.escape(path)} could not be deleted: ${error.message}`)),
    // Interrupting the wait does not stop the delete.
    Effect.forkDetach({ startImmediately: true }),
    Effect.flatMap(Fiber.join)
  )
}

// ---- internal

/** A session that is over has taken its ephemeral znodes along. */
const awaitSessionEnd = ({ session }: ZooKeeper.Service): Effect.Effect<void> =>
  session.states.pipe(
    Stream.takeUntil(({ _tag }) => _tag === "Expired" || _tag === "AuthFailed" || _tag === "Closed"),
    Stream.runDrain
  )
