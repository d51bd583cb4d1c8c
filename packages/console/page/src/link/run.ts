/** Effects and streams of the link in components of Solid. Whatever a component runs ends with it. */
import type { Client } from "./Link.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type Accessor, createEffect, createSignal, on, onCleanup } from "solid-js"
import { usePage } from "../shell/page.ts"

export type Failure<E> = E | RpcClientError

/**
 * - `Waiting`: nothing has come yet.
 * - `Live`: what is shown is what is there.
 * - `Stale`: it was there; the connection is lost, and it comes again by itself.
 * - `Failed`: with an error that a person has to read.
 */
export type Feed<E> =
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Live" }
  | { readonly _tag: "Stale"; readonly error: Failure<E> }
  | { readonly _tag: "Failed"; readonly error: E }
  | { readonly _tag: "Ended" }

interface Tagged {
  readonly _tag: string
}

const isLost = (error: Tagged): boolean => error._tag === "RpcClientError" || error._tag === "Unavailable"

/**
 * Runs a stream for as long as the component is there. It begins again when `source` gives another one, after each new
 * connection to the server of the page, and a second after the ensemble was unavailable.
 */
export const useFeed = <A, E extends Tagged>(
  source: (client: Client) => Stream.Stream<A, Failure<E>> | undefined,
  onItem: (item: A) => void,
  onBegin?: () => void
): Accessor<Feed<E>> => {
  const { link, run } = usePage()
  const [feed, setFeed] = createSignal<Feed<E>>({ _tag: "Waiting" })
  createEffect(
    on([() => source(link.client), link.epoch], ([stream, epoch]) => {
      if (stream === undefined || epoch === 0) return
      onBegin?.()
      setFeed((before) => (before._tag === "Failed" || before._tag === "Ended" ? { _tag: "Waiting" } : before))
      const follow = Stream.runForEach(stream, (item) =>
        Effect.sync(() => {
          onItem(item)
          setFeed((before) => (before._tag === "Live" ? before : { _tag: "Live" }))
        })
      ).pipe(
        Effect.andThen(Effect.sync(() => setFeed({ _tag: "Ended" }))),
        Effect.tapError((error) =>
          Effect.sync(() => setFeed(isLost(error) ? { _tag: "Stale", error } : { _tag: "Failed", error: error as E }))
        ),
        Effect.retry({ schedule: Schedule.spaced("1 second"), while: ({ _tag }) => _tag === "Unavailable" }),
        Effect.catchCause((cause) => (Cause.hasDies(cause) ? Effect.logError(cause) : Effect.void))
      )
      const fiber = run(follow)
      onCleanup(() => void Effect.runFork(Fiber.interrupt(fiber)))
    })
  )
  return feed
}

/**
 * - `Idle`: it was not asked for, or is over.
 * - `Running`: the answer has not come.
 * - `Failed`: with the error.
 */
export type Action<E> =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Running" }
  | { readonly _tag: "Failed"; readonly error: Failure<E> }

/** A request that a person starts, one at a time. It goes on when the component ends, because it may change something. */
export const useAction = <A, E extends Tagged>(onDone: (answer: A) => void) => {
  const { run } = usePage()
  const [state, setState] = createSignal<Action<E>>({ _tag: "Idle" })
  const start = (effect: Effect.Effect<A, Failure<E>>): void => {
    if (state()._tag === "Running") return
    setState({ _tag: "Running" })
    run(
      effect.pipe(
        Effect.match({
          onSuccess: (answer) => {
            setState({ _tag: "Idle" })
            onDone(answer)
          },
          onFailure: (error) => void setState({ _tag: "Failed", error })
        }),
        Effect.catchCause((cause) => Effect.logError(cause))
      )
    )
  }
  return { state, start, forget: () => setState({ _tag: "Idle" }) }
}
