/**
 * A value that many processes read, watch and replace.
 *
 * **Guarantees**
 *
 * - Every write that succeeds replaces the value in `pre`: no other write came in between.
 * - `changes` never goes back, and ends with the newest value.
 * - A write whose reply was lost is never sent again before it is known that it was not applied. Where the version does
 *   not tell, it fails with `OutcomeUnknown`.
 * - A znode may be deleted and created again, with the same version, between the read and the write. A write that has met
 *   such a znode fails with `OutcomeUnknown` and the reason `remade`. ZooKeeper compares versions alone, so no client can
 *   prevent that the write replaces the data of the new znode.
 *
 * It does not guarantee that `changes` shows every value: of several writes in a row it may show the last one alone.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import { jsonOf } from "@effect-zookeeper/client/Json"
import { Opaque } from "@effect-zookeeper/client/PromiseAdapter"
import type * as ZNode from "@effect-zookeeper/client/ZNode"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Change, Exchange } from "./Change.ts"
import type { Contended, DataInvalid, OutcomeUnknown, RecipeError, VersionExhausted } from "./Errors.ts"
import { type DataCodec, overloaded } from "./internal/shared/dataCodec.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"
import { retryStream } from "./internal/shared/retry.ts"
import {
  contentionKeys,
  type ContentionOptions,
  type Decision,
  type Found,
  makeCell,
  modify,
  read
} from "./internal/values/compareAndSet.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of values with and without a Schema.
 *
 * @category options
 * @since 0.1.0
 */
export type BaseOptions = ContentionOptions

/**
 * Options of a value with a Schema.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options<A, I> extends BaseOptions {
  readonly schema: Schema.Codec<A, I>
  /** How the encoded form becomes bytes. Default: JSON. */
  readonly codec?: ZNode.Codec<NoInfer<I>> | undefined
  /** The value where there is no znode; the first write creates the znode. */
  readonly initial: NoInfer<A>
}

/**
 * Options of a value that is bytes.
 *
 * @category options
 * @since 0.1.0
 */
export interface BytesOptions extends BaseOptions {
  readonly schema?: undefined
  /** The value where there is no znode; the first write creates the znode. Default: no bytes. */
  readonly initial?: Uint8Array | undefined
}

/**
 * A value with the Stat of its znode, for `compareAndSet`.
 *
 * @category models
 * @since 0.1.0
 */
export class Versioned<out A> extends Opaque {
  readonly value: A
  /** Undefined where there is no znode: `value` is the initial one then. */
  readonly stat: Stat | undefined

  constructor(value: A, stat: Stat | undefined) {
    super()
    this.value = value
    this.stat = stat
  }

  /** 64-bit numbers as decimal text, which JSON has no numbers for. */
  toJSON(): unknown {
    return jsonOf(this)
  }
}

/**
 * Errors of reading a value.
 *
 * @category errors
 * @since 0.1.0
 */
export type GetError = DataInvalid | RecipeError

/**
 * Errors of changing a value; `Contended` only with the option `attempts`.
 *
 * @category errors
 * @since 0.1.0
 */
export type ChangeError = DataInvalid | OutcomeUnknown | VersionExhausted | Contended | RecipeError

/**
 * A value at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface AtomicValue<A> {
  readonly path: string
  /** The value as the connected server has it, which may lag behind. */
  readonly get: Effect.Effect<A, GetError>
  /** The value with its Stat, for `compareAndSet`. */
  readonly getVersioned: Effect.Effect<Versioned<A>, GetError>
  /** Writes a value, whatever is there, also at a version of -1. */
  readonly set: (value: A) => Effect.Effect<Change<A>, ChangeError>
  /** Writes the result of `f`, which may run many times. */
  readonly update: (f: (value: A) => A) => Effect.Effect<Change<A>, ChangeError>
  /** Writes `next` unless another client has written since `expected` was read: Curator's `trySet`. */
  readonly compareAndSet: (expected: Versioned<A>, next: A) => Effect.Effect<Exchange<A>, ChangeError>
  /**
   * The current value, then each newer one; the initial one where the znode is deleted. Goes on across reconnections and
   * new sessions. Fails with `DataInvalid` at data that cannot be decoded; running it again goes on from there.
   */
  readonly changes: Stream.Stream<Versioned<A>, GetError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a value at a path: bytes, or typed by a Schema. Nothing is sent before it is used; the first write creates the
 * znode and its missing parents. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { AtomicValue } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 *
 * const Config = Schema.Struct({ replicas: Schema.Int })
 *
 * export const program = Effect.gen(function* () {
 *   const config = yield* AtomicValue.make("/config/mail", { schema: Config, initial: { replicas: 1 } })
 *   const { post, pre } = yield* config.update(({ replicas }) => ({ replicas: replicas + 1 }))
 *   yield* Effect.log(`${pre.replicas} → ${post.replicas}`)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  (
    path: string,
    options?: BytesOptions
  ): Effect.Effect<AtomicValue<Uint8Array>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope>
  <A, I>(
    path: string,
    options: Options<A, I>
  ): Effect.Effect<AtomicValue<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope>
} = <A, I>(path: string, options: BytesOptions | Options<A, I> = {}) =>
  Effect.andThen(
    checkOptions(known, options),
    Effect.suspend(() => {
      const initial = options.schema === undefined ? (options.initial ?? new Uint8Array()) : options.initial
      return makeWith<A>(path, overloaded(options), initial as A, options)
    })
  )

// ---- internal

const known = knownOptions<Options<unknown, unknown>>(
  { ...contentionKeys, schema: true, codec: true, initial: true },
  "{ schema, initial }"
)

const makeWith = Effect.fnUntraced(function* <A>(
  path: string,
  data: DataCodec<A>,
  initial: A,
  options: BaseOptions
): Effect.fn.Return<AtomicValue<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  const cell = yield* makeCell(path, options)
  const encodedInitial = yield* data.encode(initial)

  /** Makes a value anew, because readers may change theirs. A Schema that cannot read it back gives the value itself. */
  const decodeOwn = ({ encoded, value }: Next<A>): Effect.Effect<A> =>
    Effect.catchTag(
      Effect.suspend(() => data.decode(path, new Uint8Array(encoded))),
      "DataInvalid",
      () => Effect.succeed(value)
    )

  const decodeInitial = decodeOwn({ value: initial, encoded: encodedInitial })

  const decode = (found: Found): Effect.Effect<Versioned<A>, DataInvalid> =>
    Effect.map(
      found === undefined ? decodeInitial : data.decode(path, found.data),
      (value) => new Versioned(value, found?.stat)
    )

  /** A value as it is now: it is written only when the present one has been read. */
  const takeCopy = (value: A): Effect.Effect<Next<A>, InvalidArgument> =>
    Effect.map(data.encode(value), (encoded) => ({ value, encoded }))

  /** Writes the result of `next`; nothing for None. */
  const change = (
    operation: string,
    next: (pre: Versioned<A>) => Effect.Effect<Option.Option<Next<A>>, InvalidArgument>,
    isSet = false
  ) => {
    const decide = Effect.fnUntraced(function* (
      found: Found
    ): Effect.fn.Return<Decision<Written<A>>, DataInvalid | InvalidArgument> {
      // A `set` may replace data that cannot be decoded.
      const pre = yield* isSet
        ? Effect.catchTag(decode(found), "DataInvalid", () =>
            Effect.map(decodeInitial, (value) => new Versioned(value, found?.stat))
          )
        : decode(found)
      const post = yield* next(pre)
      const result = { pre: pre.value, post }
      if (Option.isNone(post)) return { data: undefined, result }
      return { data: post.value.encoded, result, unconditional: isSet }
    })
    return Effect.flatMap(modify(cell, operation, decide), ({ attempts, result: { post, pre } }) =>
      // The caller may have changed what it gave.
      Option.isNone(post)
        ? Effect.succeed({ attempts, pre, post: pre, isWritten: false })
        : Effect.map(decodeOwn(post.value), (post) => ({ attempts, pre, post, isWritten: true }))
    )
  }

  const changed = (operation: string, next: (pre: A) => Effect.Effect<Next<A>, InvalidArgument>, isSet = false) =>
    Effect.map(
      change(operation, ({ value }) => Effect.asSome(next(value)), isSet),
      ({ attempts, post, pre }) => new Change(pre, post, attempts)
    )

  const getVersioned = Effect.flatMap(read(cell), decode)
  return {
    path,
    get: Effect.map(getVersioned, ({ value }) => value),
    getVersioned,
    set: (value) =>
      Effect.flatMap(
        Effect.suspend(() => takeCopy(value)),
        (next) => changed("set", () => Effect.succeed(next), true)
      ),
    update: (f) => changed("update", (pre) => takeCopy(f(pre))),
    compareAndSet: (expected, next) =>
      Effect.map(
        Effect.flatMap(
          Effect.suspend(() => takeCopy(next)),
          (next) =>
            // By the transaction that wrote it, because versions begin anew when a znode is created again.
            change("compareAndSet", ({ stat }) =>
              Effect.succeed(stat?.mzxid === expected.stat?.mzxid ? Option.some(next) : Option.none())
            )
        ),
        ({ attempts, isWritten, post, pre }) => new Exchange(pre, post, attempts, isWritten)
      ),
    changes: retryStream(cell.zk.dataChanges(path)).pipe(
      Stream.mapEffect((found) => decode(Option.getOrUndefined(found)))
    )
  }
})

/** A value to write, and its bytes. */
interface Next<A> {
  readonly value: A
  readonly encoded: Uint8Array
}

interface Written<A> {
  readonly pre: A
  /** None when nothing was written. */
  readonly post: Option.Option<Next<A>>
}
