/**
 * The Promise API of a service, derived at run time by one function and typed by one mapped type.
 *
 * `promisify(run, service)` gives an object with the same members, where
 *
 * - an Effect becomes a function that gives a Promise, and so does a method that gave an Effect;
 * - a Stream becomes an AsyncIterable, and a method that gave a Stream gives an AsyncIterable;
 * - an Option becomes its value or `undefined`;
 * - a Result becomes `{ ok: true, value }` or `{ ok: false, error }`;
 * - plain objects and arrays are converted member by member, in answers too, and getters stay getters;
 * - everything else stays: bytes, numbers, errors, Maps and Sets, instances of classes (whose types stay if they extend
 *   `Opaque`).
 *
 * A Promise rejects with the error that the Effect fails with: both `instanceof` and `_tag` tell which it is.
 *
 * This module does not depend on ZooKeeper. All that it needs is a `run`: `PromiseClient.run`, or the `runPromise` of any
 * ManagedRuntime. Packages on top of the client derive their Promise API with it.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { checkCallOptions } from "./internal/promise/checkCallOptions.ts"
import { startOf } from "./internal/promise/directRequest.ts"
import type { CallOptions, Run } from "./internal/promise/Run.ts"
import { StreamIterator } from "./internal/promise/StreamIterator.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

export type { CallOptions, Run } from "./internal/promise/Run.ts"

/**
 * The options of {@link promisify}.
 *
 * @category options
 * @since 0.1.0
 */
export interface PromisifyOptions {
  /**
   * Whether the methods of the value take exactly as many parameters as their `length` says. A further argument that is not
   * `CallOptions` is then refused with `InvalidArgument`: a callback, for example, would never be called. Default `false`,
   * because `length` does not count parameters with defaults.
   */
  readonly exact?: boolean | undefined
}

/**
 * A Result as plain data.
 *
 * @example
 * ```ts
 * import { Op, PromiseClient } from "@effect-zookeeper/client"
 *
 * await using zk = await PromiseClient.connect("localhost:2181")
 * const [config] = await zk.read([Op.get("/config")])
 * if (config.ok) console.log(config.value.data.byteLength)
 * else console.warn(config.error._tag)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Settled<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/**
 * The type id of an {@link Opaque}.
 *
 * @category type IDs
 * @since 0.1.0
 */
export const OpaqueTypeId = "~@effect-zookeeper/client/PromiseAdapter/Opaque"

/**
 * The base class of values that a Promise API gives as they are. Extend it for an answer that carries a value of the
 * application: then an Option in that value, for example, stays an Option.
 *
 * @category models
 * @since 0.1.0
 */
export abstract class Opaque {
  get [OpaqueTypeId](): typeof OpaqueTypeId {
    return OpaqueTypeId
  }
}

/**
 * The Promise API of a type: of a service, of one of its members, or of an answer.
 *
 * An Effect or Stream that needs services becomes `never`, because `promisify` cannot provide any. A generic method loses
 * its type parameters, as in every mapped type: declare such methods by hand.
 *
 * @category models
 * @since 0.1.0
 */
export type Promised<T> = T extends OpaqueValue
  ? T
  : T extends Option.None<unknown>
    ? undefined
    : T extends Option.Some<infer A>
      ? Promised<A>
      : T extends Result.Success<infer A, infer _E>
        ? { readonly ok: true; readonly value: Promised<A> }
        : T extends Result.Failure<infer _A, infer E>
          ? { readonly ok: false; readonly error: Promised<E> }
          : T extends Effect.Effect<infer A, infer _E, infer R>
            ? Method<[], Promise<Promised<A>>, R>
            : T extends Stream.Stream<infer A, infer _E, infer R>
              ? Provided<AsyncIterable<Promised<A>>, R>
              : T extends (...args: infer P) => infer X
                ? PromisedMethod<T, P, X>
                : T extends object
                  ? Unchanged<T, { [K in keyof T]: Promised<T[K]> }>
                  : T

/** Objects that are values: they are not converted member by member. */
type OpaqueValue =
  | Opaque
  | Uint8Array
  | Error
  | Redacted.Redacted<unknown>
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>

type PromisedMethod<F, P extends ReadonlyArray<unknown>, X> = [X] extends [Effect.Effect<infer A, infer _E, infer R>]
  ? Method<P, Promise<Promised<A>>, R>
  : [X] extends [Stream.Stream<infer A, infer _E, infer R>]
    ? Method<P, AsyncIterable<Promised<A>>, R>
    : Unchanged<F, (...args: P) => Promised<X>>

type Method<P extends ReadonlyArray<unknown>, X, R> = Provided<(...args: [...P, call?: CallOptions]) => X, R>

type Provided<T, R> = [R] extends [never] ? T : never

/** Keeps the name of a type in which nothing had to be changed. */
type Unchanged<T, U> = T extends U ? (U extends T ? T : U) : U

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Derives the Promise API of a service, or of any value.
 *
 * @example
 * ```ts
 * import { PromiseAdapter, PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * // A service of your own, in Effect.
 * const makeVisits = Effect.map(ZooKeeper.ZooKeeper, (zk) => ({
 *   add: (page: string) => zk.createWithParents(`/visits/${page}/v-`, { mode: "persistentSequential" }),
 *   count: (page: string) => zk.countDescendants(`/visits/${page}`)
 * }))
 *
 * await using zk = await PromiseClient.connect("localhost:2181")
 * const visits = PromiseAdapter.promisify(zk.run, await zk.run(makeVisits))
 * await visits.add("home")
 * console.log(await visits.count("home"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const promisify = <T>(run: Run, value: T, options?: PromisifyOptions): Promised<T> =>
  // The compiler cannot follow what is decided at run time. Tests of every row show that types and values agree.
  (options?.exact === true && isPlain(value) ? service(run, value, true) : adapt(run, value)) as Promised<T>

/**
 * A Stream as an AsyncIterable. Each loop over it runs the Stream anew, and pulls the next element when the loop asks for
 * it. Leaving the loop ends the Stream; its finalizers have run before the loop is left. The loop rejects with the error
 * that the Stream fails with.
 *
 * @example
 * ```ts
 * import { PromiseAdapter } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * for await (const n of PromiseAdapter.iterable(Effect.runPromise, Stream.range(1, 3))) console.log(n)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const iterable = <A, E, R>(
  run: Run<R>,
  stream: Stream.Stream<A, E, R>,
  options?: CallOptions
): AsyncIterable<A> => ({
  [Symbol.asyncIterator]: () => new StreamIterator(run, stream, options?.signal)
})

// ---- internal: values

const adapt = (run: Run, value: unknown): unknown => {
  if (typeof value === "function") return method(run, value as AnyFunction, undefined, false)
  if (typeof value !== "object" || value === null) return value
  if (isPlain(value)) return data(run, value)
  if (Array.isArray(value)) return elements(run, value)
  // Effect's errors are Effects too; bytes are only faster to tell here.
  if (value instanceof Uint8Array || value instanceof Error) return value
  if (Option.isOption(value)) return Option.isSome(value) ? adapt(run, value.value) : undefined
  if (Result.isResult(value)) return settled(run, value)
  if (isEffect(value)) return (options?: CallOptions) => call(run, value, options)
  if (isStream(value)) return adaptStream(run, value, undefined)
  return value
}

const isPlain = (value: unknown): value is PlainObject =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** An object that is only data: copied if anything in it looks different, and else itself. */
const data = (run: Run, source: PlainObject): unknown => {
  let copy: PlainObject | undefined
  let hasLong = false
  for (const key in source) {
    const member = source[key]
    if (typeof member !== "object" && typeof member !== "function") continue
    const adapted = adapt(run, member)
    if (adapted === member) continue
    // An object with a function is a service: its getters are carried over and must not be read.
    if (typeof adapted === "function") return service(run, source, false)
    copy ??= { ...source }
    copy[key] = adapted
    hasLong ||= typeof adapted === "bigint"
  }
  return copy !== undefined && (hasLong || Object.hasOwn(source, "toJSON")) ? withJson(copy) : (copy ?? source)
}

const service = (run: Run, source: PlainObject, isExact: boolean): PlainObject => {
  const adapted: PlainObject = {}
  for (const key of Object.keys(source)) {
    const getter = Object.getOwnPropertyDescriptor(source, key)?.get
    if (getter === undefined) {
      const member = source[key]
      adapted[key] =
        typeof member === "function" ? method(run, member as AnyFunction, source, isExact) : adapt(run, member)
    } else {
      Object.defineProperty(adapted, key, { enumerable: true, get: () => adapt(run, getter.call(source)) })
    }
  }
  // A getter may give a 64-bit number later, if it gives none now.
  return withJson(adapted)
}

const elements = (run: Run, source: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  let copy: Array<unknown> | undefined
  for (let index = 0; index < source.length; index++) {
    const adapted = adapt(run, source[index])
    if (adapted === source[index]) continue
    copy ??= source.slice()
    copy[index] = adapted
  }
  return copy ?? source
}

const settled = (run: Run, result: Result.Result<unknown, unknown>): Settled<unknown, unknown> =>
  Result.isSuccess(result)
    ? { ok: true, value: adapt(run, result.success) }
    : { ok: false, error: adapt(run, result.failure) }

// ---- internal: calls

const method =
  (run: Run, f: AnyFunction, self: unknown, isExact: boolean) =>
  (...args: Array<unknown>): unknown => {
    const options = isCallOptions(args[args.length - 1], args.length > f.length)
      ? (args.pop() as CallOptions)
      : undefined
    const mistake = isExact && args.length > f.length ? checkCallOptions(args[f.length]) : undefined
    const answer = f.apply(self, args)
    if (mistake !== undefined) return rejectCall(run, answer, mistake)
    if (isEffect(answer)) return call(run, answer, options)
    if (isStream(answer)) return adaptStream(run, answer, options)
    return adapt(run, answer)
  }

/** Refuses the call in the way in which the method reports its errors. */
const rejectCall = (run: Run, answer: unknown, mistake: InvalidArgument): unknown => {
  if (isEffect(answer)) return Promise.reject(mistake)
  if (isStream(answer)) return iterable(run, Stream.fail(mistake))
  throw mistake
}

const call = (run: Run, effect: Effect.Effect<unknown, unknown>, options: CallOptions | undefined): Promise<unknown> =>
  run(startOf(effect) === undefined ? Effect.map(effect, (answer) => adapt(run, answer)) : effect, options)

const adaptStream = (run: Run, stream: Stream.Stream<unknown, unknown>, options: CallOptions | undefined) =>
  iterable(
    run,
    Stream.map(stream, (element) => adapt(run, element)),
    options
  )

type AnyFunction = (...args: Array<unknown>) => unknown

type PlainObject = Record<string, unknown>

/** The services that it needs cannot be seen at run time: `Promised` refuses an Effect that needs any. */
const isEffect = (value: unknown): value is Effect.Effect<unknown, unknown> => Effect.isEffect(value)

const isStream = (value: unknown): value is Stream.Stream<unknown, unknown> => Stream.isStream(value)

/**
 * The number of parameters cannot be seen when some have defaults. It is at least the `length` of the method, so that an
 * argument `behind` these may be options. An object with more than a signal is a value of the application.
 */
const isCallOptions = (value: unknown, behind: boolean): value is CallOptions => {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "signal")) return false
  if (Reflect.ownKeys(value).length !== 1 || !("signal" in value)) return false
  return value.signal === undefined ? behind : value.signal instanceof AbortSignal
}
