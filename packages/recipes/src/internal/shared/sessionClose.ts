/** The end of what a session has: work that must not begin, a close that waits, ephemeral znodes that are given back. */
import { type DeleteError, SessionClosed } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Printable from "@effect-zookeeper/client/Printable"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { retryAcrossSessions, retryTransient } from "./retry.ts"

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
 * ended; then `onEnd` runs. Where eight connections are lost with it, there is a warning in the log, and an attempt each
 * minute. Waits a second at most, and not at all where the session is being closed.
 */
export const deleteEphemeral = (
  zk: ZooKeeper.Service,
  path: string,
  onEnd?: Effect.Effect<unknown>
): Effect.Effect<void> => zk.session.closing.giveBack(deleteUntilGone(zk, path, onEnd))

/** `deleteEphemeral` without waiting. */
export const deleteInBackground = (zk: ZooKeeper.Service, path: string): Effect.Effect<void> =>
  // The delete itself lives with the session, and ends with it.
  Effect.asVoid(Effect.forkDetach(deleteEphemeral(zk, path), { startImmediately: true }))

/** Something that is given back by deleting a znode. */
export interface GivenBack {
  readonly path: string
  /** One attempt, which may be repeated. It succeeds where there is nothing to delete. */
  readonly attempt: Effect.Effect<unknown, GiveBackError>
  /** Whether it outlives the session, so that a later one has to delete it. */
  readonly isLasting?: boolean | undefined
}

/** `deleteEphemeral` of a znode that needs a look before each attempt. */
export const giveBack = (zk: ZooKeeper.Service, given: GivenBack): Effect.Effect<void> =>
  zk.session.closing.giveBack(goOnAfter(zk, retryAcrossSessions(zk, given.attempt), given))

// ---- internal

interface GiveBackError {
  readonly _tag: string
  readonly message: string
}

/**
 * It repeats the delete by path, without a look: the names of these znodes have a unique id, so that no other client ever has
 * that path.
 */
const deleteUntilGone = (zk: ZooKeeper.Service, path: string, onEnd?: Effect.Effect<unknown>): Effect.Effect<void> => {
  const attempt = Effect.catchTag(zk.delete(path), "NoNode", () => Effect.void)
  const again = (first: DeleteError) => Effect.raceFirst(retryTransient(after(first, attempt)), awaitEnd(zk))
  return goOnAfter(zk, Effect.catchIf(attempt, Outcome.isTransient, again), { path, attempt }, onEnd).pipe(
    // It ends with the session by itself, and `onEnd` runs then too.
    Effect.uninterruptible
  )
}

/** What follows the first attempts: a warning where they were given up, and an attempt each minute in the background. */
const goOnAfter = (
  zk: ZooKeeper.Service,
  first: Effect.Effect<unknown, GiveBackError>,
  { attempt, isLasting, path }: GivenBack,
  onEnd: Effect.Effect<unknown> = Effect.void
): Effect.Effect<void> => {
  const warn = (error: GiveBackError) =>
    error._tag === "SessionExpired" || error._tag === "SessionClosed"
      ? Effect.void
      : Effect.logWarning(`${Printable.escape(path)} could not be deleted: ${error.message}`)
  // As long as it is there, it keeps others from what it stands for.
  const later = () =>
    Outcome.retryRarely(attempt).pipe(
      Effect.catch(warn),
      Effect.raceFirst(awaitEnd(zk, isLasting)),
      Effect.andThen(onEnd)
    )
  return Effect.matchEffect(first, {
    onFailure: (error) =>
      Effect.andThen(
        warn(error),
        Outcome.isGivenUp(error) ? Effect.forkDetach(later(), { startImmediately: true }) : onEnd
      ),
    onSuccess: () => onEnd
  }).pipe(Effect.asVoid)
}

/** An effect for one loop of repeats, of which an attempt has failed already: that counts as the first. */
const after = <A, E>(failure: E, effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let isFirst = true
  return Effect.suspend(() => {
    if (!isFirst) return effect
    isFirst = false
    return Effect.fail(failure)
  })
}

/** A session that is over has taken its ephemeral znodes along; a client that is closed gives nothing back any more. */
const awaitEnd = ({ session }: ZooKeeper.Service, isLasting = false): Effect.Effect<void> =>
  session.states.pipe(
    Stream.takeUntil(({ _tag }) => (!isLasting && _tag === "Expired") || _tag === "AuthFailed" || _tag === "Closed"),
    Stream.runDrain
  )
