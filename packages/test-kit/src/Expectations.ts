/**
 * Checks that many tests of clients need: the tag of an error, the next element of a stream, a state that comes in
 * time.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** The error of an effect, which must have one of this tag. */
export const failure = <A, E extends { readonly _tag: string }, const T extends E["_tag"], R>(
  effect: Effect.Effect<A, E, R>,
  tag: T
): Effect.Effect<Extract<E, { readonly _tag: T }>, E | Error, R> =>
  Effect.matchEffect(effect, {
    onSuccess: (): Effect.Effect<never, Error> => Effect.fail(new Error(`a success where ${tag} was expected`)),
    onFailure: (error): Effect.Effect<Extract<E, { readonly _tag: T }>, E> =>
      hasTag<E, T>(error, tag) ? Effect.succeed(error) : Effect.fail(error)
  })

const hasTag = <E extends { readonly _tag: string }, T extends string>(
  error: E,
  tag: T
): error is Extract<E, { readonly _tag: T }> => error._tag === tag

/** The tag of an effect's error, or "success". */
export const outcome = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<E["_tag"] | "success", never, R> =>
  Effect.match(effect, { onSuccess: () => "success" as const, onFailure: (error): E["_tag"] => error._tag })

/** Whether a server refuses a call as an operation that it does not know, which it must. */
export const refused = <A, E extends { readonly _tag: string }, R>(
  call: Effect.Effect<A, E, R>
): Effect.Effect<void, E | Error, R> =>
  Effect.matchEffect(call, {
    onSuccess: () => Effect.fail(new Error("a success where a refusal was expected")),
    onFailure: (error) =>
      error._tag === "ServerRefused" && "name" in error && error.name === "Unimplemented"
        ? Effect.void
        : Effect.fail(error)
  })

/** The elements of a stream, one by one; it runs until the Scope ends. Ten seconds without an element are a defect. */
export const pullFrom = <A, E, R>(
  stream: Stream.Stream<A, E, R>
): Effect.Effect<Effect.Effect<A, E>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<A, E>()
    yield* Effect.forkScoped(
      Effect.matchCauseEffect(
        Stream.runForEach(stream, (a) => Queue.offer(queue, a)),
        { onFailure: (cause) => Queue.failCause(queue, cause), onSuccess: () => Effect.void }
      ),
      { startImmediately: true }
    )
    return Queue.take(queue).pipe(
      Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die("no element") })
    )
  })

/** Repeats an effect until its result satisfies a predicate, and gives that; fifteen seconds at most. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>, predicate: (value: A) => boolean) =>
  Effect.repeat(effect, { until: predicate, schedule: Schedule.spaced("10 millis") }).pipe(Effect.timeout("15 seconds"))

/** Waits until a condition holds; fifteen seconds at most. */
export const awaitCondition = (condition: () => boolean) => eventually(Effect.sync(condition), (holds) => holds)

/** The error that a Promise rejects with; it must reject. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error("fulfilled, where a rejection was expected")),
    (error: unknown) => error
  )

/** Bytes as UTF-8. */
export const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** From 0 upwards. */
export const numbersBelow = (n: number) => Array.from({ length: n }, (_, index) => index)
