/** Effects and streams of the link in components of Solid. Whatever a component runs ends with it. */
import { describe } from "./failures.ts"
import { type Failure, follow, type Tagged } from "./follow.ts"
import type { Client } from "./Link.ts"
import type { EditFailure } from "@effect-zookeeper/console/ProtocolError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type Accessor, batch, createEffect, createMemo, createSignal, on, onCleanup } from "solid-js"
import { usePage } from "../shell/page.ts"

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

/**
 * Runs a stream for as long as the component is there. It begins again when `source` gives another one, after each new
 * connection to the server of the page, and a second after the ensemble was unavailable.
 *
 * `onBegin` comes at once with another stream. With the same one again it comes before the first item: what was seen stays
 * until there is something new.
 */
export const useFeed = <A, E extends Tagged>(
  source: (client: Client) => Stream.Stream<A, Failure<E>> | undefined,
  onItem: (item: A) => void,
  onBegin?: () => void
): Accessor<Feed<E>> => {
  const { link, run } = usePage()
  const [feed, setFeed] = createSignal<Feed<E>>({ _tag: "Waiting" })
  const stream = createMemo(() => source(link.client))
  let followed: Stream.Stream<A, Failure<E>> | undefined
  createEffect(
    on([stream, link.epoch], ([stream, epoch]) => {
      if (stream === undefined || epoch === 0) return
      const isAgain = stream === followed
      followed = stream
      if (!isAgain) onBegin?.()
      setFeed((before) => (before._tag === "Failed" || before._tag === "Ended" ? { _tag: "Waiting" } : before))
      const fiber = run(
        follow<A, E>(stream, isAgain, {
          onAgain: () => onBegin?.(),
          onItem: (item) =>
            batch(() => {
              onItem(item)
              setFeed((before) => (before._tag === "Live" ? before : { _tag: "Live" }))
            }),
          onEnd: () => void setFeed({ _tag: "Ended" }),
          onLost: (error) => void setFeed({ _tag: "Stale", error }),
          onFailure: (error) => void setFeed({ _tag: "Failed", error })
        })
      )
      onCleanup(() => void Effect.runFork(Fiber.interrupt(fiber)))
    })
  )
  return feed
}

/** A question that is asked again every few seconds. */
export const again = <A, E>(ask: Effect.Effect<A, E>): Stream.Stream<A, E> =>
  Stream.fromEffectSchedule(ask, Schedule.spaced("5 seconds"))

/**
 * - `Idle`: it was not asked for, or is over.
 * - `Running`: the answer has not come.
 * - `Failed`: with the error.
 */
export type Action<E> =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Running" }
  | { readonly _tag: "Failed"; readonly error: Failure<E> }

/** A question: another one, and the end of the component, take it back. */
export const useQuestion = <A, E extends Tagged>(onAnswer: (answer: A) => void) => {
  const { run } = usePage()
  const [state, setState] = createSignal<Action<E>>({ _tag: "Idle" })
  let asking: Fiber.Fiber<unknown, unknown> | undefined
  const stop = (): void => {
    if (asking !== undefined) Effect.runFork(Fiber.interrupt(asking))
    asking = undefined
  }
  onCleanup(stop)
  const start = (effect: Effect.Effect<A, Failure<E>>): void => {
    stop()
    setState({ _tag: "Running" })
    asking = run(settle(effect, setState, onAnswer))
  }
  const forget = (): void => {
    stop()
    setState({ _tag: "Idle" })
  }
  return { state, start, forget }
}

/**
 * A change, one at a time. It goes on when the component ends: its answer is heard then too, and its failure is said at the
 * lower edge of the page.
 */
export const useChange = <A>(onDone: (answer: A) => void) => {
  const { run, say } = usePage()
  const [state, setState] = createSignal<Action<EditFailure>>({ _tag: "Idle" })
  let isOver = false
  onCleanup(() => (isOver = true))
  const start = (effect: Effect.Effect<A, Failure<EditFailure>>): void => {
    if (state()._tag === "Running") return
    setState({ _tag: "Running" })
    run(
      settle(
        Effect.tapError(effect, (error) => Effect.sync(() => isOver && say(describe(error, "change")))),
        setState,
        onDone
      )
    )
  }
  const forget = (): void => {
    if (state()._tag !== "Running") setState({ _tag: "Idle" })
  }
  return { state, start, forget }
}

const settle = <A, E extends Tagged>(
  effect: Effect.Effect<A, Failure<E>>,
  setState: (state: Action<E>) => void,
  onDone: (answer: A) => void
): Effect.Effect<void> =>
  effect.pipe(
    Effect.match({
      // One step: the end of the request is not seen without the change that it has made.
      onSuccess: (answer) =>
        batch(() => {
          setState({ _tag: "Idle" })
          onDone(answer)
        }),
      onFailure: (error) => setState({ _tag: "Failed", error })
    }),
    Effect.catchCause((cause) => (Cause.hasDies(cause) ? Effect.logError(cause) : Effect.void))
  )
