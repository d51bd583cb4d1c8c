/** The end of what a session has: work that must not begin, a close that waits, ephemeral znodes that are given back. */
import { type DeleteError, SessionClosed } from "@effect-zookeeper/client/Errors"
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
 * ended. Where eight connections are lost with it, there is a warning in the log, and an attempt each minute. Waits a second
 * at most, and not at all where the session is being closed.
 */
export const deleteEphemeral = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  zk.session.closing.giveBack(deleteUntilGone(zk, path))

/** `deleteEphemeral` without waiting. */
export const deleteInBackground = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  // The delete itself lives with the session, and ends with it.
  Effect.asVoid(Effect.forkDetach(deleteEphemeral(zk, path), { startImmediately: true }))

/**
 * `deleteEphemeral`, but waits until it is done, or given up for now. It repeats the delete by path, without a look: the
 * names of these znodes have a unique id, so that no other client ever has that path.
 */
export const deleteUntilGone = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> => {
  const again = (first: DeleteError) =>
    Effect.raceFirst(retryTransient(after(first, zk.delete(path))), awaitSessionEnd(zk))
  return zk.delete(path).pipe(
    Effect.catchIf(Outcome.isTransient, again),
    Effect.catchTag(["NoNode", "SessionExpired", "SessionClosed"], () => Effect.void),
    Effect.catch((error) => {
      const warning = Effect.logWarning(`${Printable.escape(path)} could not be deleted: ${error.message}`)
      // As long as it is there, it keeps others from what it stands for.
      const later = Effect.forkDetach(deleteLater(zk, path), { startImmediately: true })
      return Outcome.isGivenUp(error) ? Effect.andThen(warning, later) : warning
    }),
    // Interrupting the wait does not stop the delete.
    Effect.forkDetach({ startImmediately: true }),
    Effect.flatMap(Fiber.join),
    Effect.asVoid
  )
}

// ---- internal

/** An effect for one loop of repeats, of which an attempt has failed already: that counts as the first. */
const after = <A, E>(failure: E, effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let isFirst = true
  return Effect.suspend(() => {
    if (!isFirst) return effect
    isFirst = false
    return Effect.fail(failure)
  })
}

/** Attempts it each minute, until it is gone or the session has ended. */
const deleteLater = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  Effect.flatMap(Outcome.longPause, Effect.sleep).pipe(
    Effect.andThen(Outcome.retryGivenUp(retryTransient(zk.delete(path)))),
    Effect.ignore,
    Effect.raceFirst(awaitSessionEnd(zk))
  )

/** A session that is over has taken its ephemeral znodes along. */
const awaitSessionEnd = ({ session }: ZooKeeper.Service): Effect.Effect<void> =>
  session.states.pipe(
    Stream.takeUntil(({ _tag }) => _tag === "Expired" || _tag === "AuthFailed" || _tag === "Closed"),
    Stream.runDrain
  )
