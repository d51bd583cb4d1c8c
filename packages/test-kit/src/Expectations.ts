/**
 * Checks that many tests of clients need: the tag of an error, the next element of a stream, a state that comes in
 * time.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** For a fiber that has done its first steps when it is forked. */
export const now = { startImmediately: true } as const

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
export const pullFrom = Effect.fnUntraced(function* <A, E, R>(
  stream: Stream.Stream<A, E, R>
): Effect.fn.Return<Effect.Effect<A, E>, never, R | Scope.Scope> {
  const queue = yield* Queue.unbounded<A, E>()
  yield* Effect.forkScoped(
    Effect.matchCauseEffect(
      Stream.runForEach(stream, (a) => Queue.offer(queue, a)),
      { onFailure: (cause) => Queue.failCause(queue, cause), onSuccess: () => Effect.void }
    ),
    now
  )
  return Queue.take(queue).pipe(
    Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die("no element") })
  )
})

/** The data that `dataChanges` shows, as text; null where no znode is. */
export const dataOf = (zk: ZooKeeper.Service, path: string) =>
  Stream.map(zk.dataChanges(path), (seen) => Option.getOrNull(Option.map(seen, ({ data }) => text(data))))

/** The names that `childrenChanges` shows, in order; null where no znode is. */
export const childrenOf = (zk: ZooKeeper.Service, path: string) =>
  Stream.map(zk.childrenChanges(path), (seen) =>
    Option.getOrNull(Option.map(seen, ({ children }) => children.toSorted()))
  )

/** The elements of a stream from now on, in an array that grows; it runs until the Scope ends. */
export const gather = Effect.fnUntraced(function* <A, E, R>(stream: Stream.Stream<A, E, R>) {
  const elements: Array<A> = []
  yield* Effect.forkScoped(
    Stream.runForEach(stream, (element) => Effect.sync(() => elements.push(element))),
    now
  )
  return elements
})

/** The value that an effect makes in a Scope of its own, and the end of that Scope, which comes with the test's at the latest. */
export const closable = Effect.fnUntraced(function* <A, E, R>(make: Effect.Effect<A, E, R>) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  return [yield* Scope.provide(make, scope), Scope.close(scope, Exit.void)] as const
})

/** Steps as those of `Effect.gen`, in a Scope of their own, which ends with them. */
export const inScope = <Eff extends AnyEffect, A>(steps: () => Generator<Eff, A, never>) =>
  Effect.scoped(Effect.gen(steps))

/** The result of an effect while the clock of a test goes on by so much. */
export const during = Effect.fnUntraced(function* <A, E, R>(time: Duration.Input, effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect, now)
  yield* TestClock.adjust(time)
  return yield* Fiber.join(fiber)
})

/** All of these at once. */
export const atOnce = <const Arg extends Iterable<AnyEffect> | Record<string, AnyEffect>>(effects: Arg) =>
  Effect.all(effects, { concurrency: "unbounded" })

/** The same for each of these, all at once. */
export const eachAtOnce = <A, B, E, R>(values: Iterable<A>, f: (value: A, index: number) => Effect.Effect<B, E, R>) =>
  Effect.forEach(values, f, { concurrency: "unbounded" })

type AnyEffect = Effect.Effect<any, any, any>

/** Asserts what `f` gives for each of some values, in their order. */
export const assertEach = <A>(
  values: Iterable<A>,
  f: (value: A) => unknown,
  expected: ReadonlyArray<unknown>,
  message?: string
): void => assert.deepStrictEqual(Array.from(values, f), expected, message)

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
