/** Follows the events of a sub-tree for as long as the session lives, whatever becomes of the watch. */
import type { InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** The errors of a watch. */
export type WatchError = InvalidArgument | SessionError

/** The options of {@link followEvents}. */
export interface Options {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly onEvent: (event: ZooKeeper.WatchEvent | ZooKeeper.Gap) => void
  /** The server has the watch; each time but the first, events may have been missed. */
  readonly onReady: () => void
  /**
   * There is no watch although the session goes on. It is interrupted when the watch is asked for again; its failure ends all.
   * `isNews`: it is the first time since the server had one.
   */
  readonly whileLost: (error: WatchError, isNews: boolean) => Effect.Effect<unknown, WatchError>
}

/**
 * A watch ends before its session when eight connections were lost with it, or when a server refuses it, for want of READ for
 * example. It is asked for again after about a minute. Fails when the session has ended for good.
 */
export const followEvents = (options: Options): Effect.Effect<void, WatchError> => {
  const { onEvent, onReady, path, whileLost, zk } = options
  let isNews = true
  const onWatch = () => {
    isNews = true
    onReady()
  }
  const events = Stream.runForEach(zk.events(path, { recursive: true, onReady: onWatch }), (event) =>
    Effect.sync(() => onEvent(event))
  )
  const lost = (error: WatchError) =>
    Effect.suspend(() => {
      const isFirst = isNews
      isNews = false
      return whileLost(error, isFirst)
    })
  const forever: Effect.Effect<void, WatchError> = Effect.catch(
    Outcome.retryAcrossSessions(zk.session, events),
    (error) => {
      if (isFinal(error)) return Effect.fail(error)
      const waiting = Effect.flatMap(Outcome.longPause, (pause) =>
        Effect.raceFirst(Effect.sleep(pause), Effect.andThen(lost(error), Effect.never))
      )
      return Effect.andThen(waiting, forever)
    }
  )
  return forever
}

/** The session has ended for good, or no request of it can succeed. */
export const isFinal = <E extends { readonly _tag: string }>(
  error: E
): error is Extract<E, { readonly _tag: "SessionExpired" | "SessionClosed" | "AuthFailed" }> =>
  error._tag === "SessionExpired" || error._tag === "SessionClosed" || error._tag === "AuthFailed"
