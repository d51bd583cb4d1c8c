/**
 * How recipes retry: through lost connections, and in the session that replaces an expired one.
 */
import type { RequestTimeout } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

interface Tagged {
  readonly _tag: string
}

/**
 * Retries for as long as no reply comes or the server is short of something. Only for reads, and for writes that may be
 * applied twice. Fails with `ConnectionLoss` when one request has lost so many connections that it is given up.
 */
export const retryTransient = <A, E extends Tagged, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, RequestTimeout>, R> =>
  Effect.mapError(Outcome.retryTransient(effect), (error) => withoutTimeout(error))

/** `retryTransient`, and once more in the session that replaces an expired one, if one does. */
export const retryAcrossSessions = <A, E extends Tagged, R>(
  zk: ZooKeeper.Service,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, RequestTimeout>, R> =>
  Effect.mapError(Outcome.retryAcrossSessions(zk.session, effect), (error) => withoutTimeout(error))

/** Begins a stream of states anew when a reply is lost; the consumer compares with the state before. */
export const retryStream = <A, E extends Tagged, R>(
  stream: Stream.Stream<A, E, R>
): Stream.Stream<A, Exclude<E, RequestTimeout>, R> =>
  stream.pipe(
    Stream.retry(
      Schedule.while(Outcome.backoff, ({ input }: { readonly input: Tagged }) => Outcome.isTransient(input))
    ),
    Stream.mapError((error) => withoutTimeout(error))
  )

/** Ends a stream, instead of failing it, when the application closes its own client. */
export const endWhenClosed = <A, E extends Tagged, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.catchIf(
    stream,
    (error) => error._tag === "SessionClosed",
    () => Stream.empty
  )

/** Another value in place of an expiry, where a new session follows. */
export const orIfSessionReplaced = <A, E extends Tagged, R, B>(
  zk: ZooKeeper.Service,
  effect: Effect.Effect<A, E, R>,
  instead: B
): Effect.Effect<A | B, E, R> =>
  Effect.catch(effect, (error) =>
    Effect.flatMap(Outcome.isReplacedExpiry(zk.session, error), (isReplaced): Effect.Effect<B, E> =>
      isReplaced ? Effect.succeed(instead) : Effect.fail(error)
    )
  )

/** The next step after a failure, by `Outcome.classifyFailure`; fails with the error itself if it is final. */
export const failIfFinal = <E extends Tagged>(
  zk: ZooKeeper.Service,
  error: E
): Effect.Effect<"lost" | "transient" | "renewed", Exclude<E, RequestTimeout>> =>
  Effect.flatMap(Outcome.classifyFailure(zk.session, error), (failure) =>
    failure === "final" ? Effect.fail(withoutTimeout(error)) : Effect.succeed(failure)
  )

/** The error type without timeouts, which are always retried. */
const withoutTimeout = <E extends Tagged>(error: E) => error as Exclude<E, RequestTimeout>
