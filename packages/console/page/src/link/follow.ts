/** A stream of the server that is followed for as long as somebody looks, over outages of the ensemble. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { RpcClientError } from "effect/rpc/RpcClientError"

export type Failure<E> = E | RpcClientError

export interface Tagged {
  readonly _tag: string
}

export interface Hooks<A, E> {
  /** Before the first item of each run but the first: the items seen so far stay until there is something new. */
  readonly onAgain: () => void
  readonly onItem: (item: A) => void
  readonly onEnd: () => void
  /** The connection is lost, or the ensemble does not answer. The stream comes again. */
  readonly onLost: (error: Failure<E>) => void
  readonly onFailure: (error: E) => void
}

/** Runs a stream, and again a second after the ensemble was unavailable. With `isAgain` it was run on an earlier connection. */
export const follow = <A, E extends Tagged>(
  stream: Stream.Stream<A, Failure<E>>,
  isAgain: boolean,
  hooks: Hooks<A, E>
): Effect.Effect<void> => {
  let isFirst = isAgain
  const once = Stream.runForEach(stream, (item) =>
    Effect.sync(() => {
      if (isFirst) hooks.onAgain()
      isFirst = false
      hooks.onItem(item)
    })
  )
  return once.pipe(
    Effect.andThen(Effect.sync(hooks.onEnd)),
    Effect.tapError((error) =>
      Effect.sync(() => {
        isFirst = true
        if (isLost(error)) hooks.onLost(error)
        else hooks.onFailure(error as E)
      })
    ),
    Effect.retry({ schedule: Schedule.spaced("1 second"), while: ({ _tag }) => _tag === "Unavailable" }),
    Effect.catchCause((cause) => (Cause.hasDies(cause) ? Effect.logError(cause) : Effect.void))
  )
}

const isLost = (error: Tagged): boolean => error._tag === "RpcClientError" || error._tag === "Unavailable"
