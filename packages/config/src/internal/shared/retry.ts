/** How reads and idempotent writes are repeated: through lost connections, and in the session that replaces an expired one. */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"

interface Tagged {
  readonly _tag: string
}

/** `Outcome.retryTransient`, and again in the session that replaces an expired one, if one does. */
export const retryAcrossSessions = <A, E extends Tagged, R>(
  zk: ZooKeeper.Service,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.catch(Outcome.retryTransient(effect), (error) =>
    Effect.flatMap(isSessionReplaced(zk, error), (isReplaced) =>
      isReplaced ? retryAcrossSessions(zk, effect) : Effect.fail(error)
    )
  )

/** Whether an error is an expiry that a new session follows. */
export const isSessionReplaced = (zk: ZooKeeper.Service, error: Tagged): Effect.Effect<boolean> =>
  error._tag === "SessionExpired" ? Outcome.isSessionReplaced(zk.session) : Effect.succeed(false)
