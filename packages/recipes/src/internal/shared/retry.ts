/**
 * Asking until there is an answer: what recipes do with lost connections and with sessions that are replaced.
 */
import type { RequestTimeout, SessionExpired } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

interface Tagged {
  readonly _tag: string
}

/**
 * Asks again, for as long as no reply comes or the server is short of something. Only for reads, and for writes that may be
 * applied twice. What has lost so many connections that it is given up fails with `ConnectionLoss`.
 */
export const retryTransient = <A, E extends Tagged, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, RequestTimeout>, R> =>
  Effect.mapError(Outcome.retryTransient(effect), (error) => withoutTimeout(error))

/** `retryTransient`, and anew in the session that follows an expired one, if one does. */
export const retryAcrossSessions = <A, E extends Tagged, R>(
  zk: ZooKeeper.Service,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, RequestTimeout>, R> =>
  Effect.catch(retryTransient(effect), (error) =>
    Effect.flatMap(isSessionReplaced(zk, error), (isReplaced) =>
      isReplaced ? retryAcrossSessions(zk, effect) : Effect.fail(error)
    )
  )

/** A stream of states that is begun anew when a reply is lost: who reads it compares with what came before. */
export const retryStream = <A, E extends Tagged, R>(
  stream: Stream.Stream<A, E, R>
): Stream.Stream<A, Exclude<E, RequestTimeout>, R> =>
  stream.pipe(
    Stream.retry(
      Schedule.while(Outcome.backoff, ({ input }: { readonly input: Tagged }) => Outcome.isTransient(input))
    ),
    Stream.mapError((error) => withoutTimeout(error))
  )

/** That the application closes its own client ends a stream, and is no failure of it. */
export const endWhenClosed = <A, E extends Tagged, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.catchIf(
    stream,
    (error) => error._tag === "SessionClosed",
    () => Stream.empty
  )

/** Something else in the place of an expiry that a new session follows. */
export const orIfSessionReplaced = <A, E extends Tagged, R, B>(
  zk: ZooKeeper.Service,
  effect: Effect.Effect<A, E, R>,
  instead: B
): Effect.Effect<A | B, E, R> =>
  Effect.catch(effect, (error) =>
    Effect.flatMap(isSessionReplaced(zk, error), (isReplaced): Effect.Effect<B, E> =>
      isReplaced ? Effect.succeed(instead) : Effect.fail(error)
    )
  )

/** Whether an error is an expiry that a new session follows. */
export const isSessionReplaced = (zk: ZooKeeper.Service, error: Tagged): Effect.Effect<boolean> =>
  isExpiry(error) ? Outcome.isSessionReplaced(zk.session) : Effect.succeed(false)

const isExpiry = (error: Tagged): error is SessionExpired => error._tag === "SessionExpired"

/** What is left of an error type when all that passes has been waited for: a timeout always does. */
const withoutTimeout = <E extends Tagged>(error: E) => error as Exclude<E, RequestTimeout>
