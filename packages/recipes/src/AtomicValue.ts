/**
 * A value that many processes read, watch and replace.
 *
 * ```ts
 * const config = yield* AtomicValue.make("/config/mail", { schema: Config, initial: { replicas: 1 } })
 * yield* config.update((current) => ({ replicas: current.replicas + 1 }))
 * ```
 *
 * **Guarantees**
 *
 * - Every write that succeeds replaces what it says in `pre`: no other came in between.
 * - `changes` never goes back, and ends at the newest value.
 * - A write whose reply was lost is never sent again before it is known that it was not applied; where the version does
 *   not tell, it fails with `OutcomeUnknown`.
 * - A write that met another znode than the one that was read, which somebody had deleted and made anew with the same version
 *   in between, fails with `OutcomeUnknown` and the reason `remade`. ZooKeeper compares versions alone, so that the data of
 *   that znode is replaced by then: nobody can prevent that.
 *
 * It does not guarantee that `changes` shows every value: of several writes in a row it may show the last alone.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import { Opaque } from "@effect-zookeeper/client/PromiseAdapter"
import * as ZNode from "@effect-zookeeper/client/ZNode"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Change, Exchange } from "./Change.ts"
import type { Contended, DataInvalid, OutcomeUnknown, RecipeError, VersionExhausted } from "./Errors.ts"
import { type Decision, type Found, modify, read } from "./internal/values/compareAndSet.ts"
import { type ContentionOptions, makeCell } from "./internal/values/contention.ts"
import { type DataCodec, makeDataCodec } from "./internal/shared/dataCodec.ts"
import { retryStream } from "./internal/shared/retry.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface BaseOptions extends ContentionOptions {
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface Options<A, I> extends BaseOptions {
  readonly schema: Schema.Codec<A, I>
  /** How the encoded form becomes bytes. Default: JSON. */
  readonly codec?: ZNode.Codec<NoInfer<I>> | undefined
  /** What is read where there is no znode; it is created by the first write. */
  readonly initial: NoInfer<A>
}

/**
 * @category options
 * @since 0.1.0
 */
export interface BytesOptions extends BaseOptions {
  readonly schema?: undefined
  /** What is read where there is no znode; it is created by the first write. Default: no bytes. */
  readonly initial?: Uint8Array | undefined
}

/**
 * A value, and of which moment it is.
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
}

/**
 * What reading a value can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type GetError = DataInvalid | RecipeError

/**
 * What changing a value can fail with; `Contended` only with the option `attempts`.
 *
 * @category errors
 * @since 0.1.0
 */
export type ChangeError = DataInvalid | OutcomeUnknown | VersionExhausted | Contended | RecipeError

/**
 * @category models
 * @since 0.1.0
 */
export interface AtomicValue<A> {
  readonly path: string
  /** The value as the connected server has it, which may lag. */
  readonly get: Effect.Effect<A, GetError>
  /** The value with its Stat, for `compareAndSet`. */
  readonly getVersioned: Effect.Effect<Versioned<A>, GetError>
  /** Writes a value, whatever is there. Goes through at a version of -1, too. */
  readonly set: (value: A) => Effect.Effect<Change<A>, ChangeError>
  /** Writes what `f` makes of the value. `f` may run many times. */
  readonly update: (f: (value: A) => A) => Effect.Effect<Change<A>, ChangeError>
  /** Writes `next` if nobody has written since `expected` was read: Curator's `trySet`. */
  readonly compareAndSet: (expected: Versioned<A>, next: A) => Effect.Effect<Exchange<A>, ChangeError>
  /**
   * The current value, then each newer one; the initial one where the znode is deleted. Goes on across reconnections and new
   * sessions. Ends with `DataInvalid` at data that is no value; running it again goes on from there.
   */
  readonly changes: Stream.Stream<Versioned<A>, GetError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A value at a path: bytes, or what a Schema says. Nothing is sent before it is used.
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
  Known.invalidOptions(Known.atomicValue, options) ??
  (options.schema === undefined
    ? makeWith(path, makeDataCodec(Schema.Uint8Array, ZNode.bytes), options.initial ?? new Uint8Array(), options)
    : makeWith(path, makeDataCodec(options.schema, options.codec), options.initial, options))

// ---- internal

const makeWith = Effect.fnUntraced(function* <A>(
  path: string,
  data: DataCodec<A>,
  initial: A,
  options: BaseOptions
): Effect.fn.Return<AtomicValue<A>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  const cell = yield* makeCell(path, options)
  yield* data.encode(initial)

  const decode = (found: Found): Effect.Effect<Versioned<A>, DataInvalid> =>
    found === undefined
      ? Effect.succeed(new Versioned(initial, undefined))
      : Effect.map(data.decode(path, found.data), (value) => new Versioned(value, found.stat))

  /** Writes what `next` makes of the value; nothing for None. */
  const change = (operation: string, next: (pre: Versioned<A>) => Option.Option<A>, isSet = false) => {
    const decide = Effect.fnUntraced(function* (
      found: Found
    ): Effect.fn.Return<Decision<Written<A>>, DataInvalid | InvalidArgument> {
      // What a `set` replaces need not be a value.
      const pre = yield* isSet
        ? Effect.catchTag(decode(found), "DataInvalid", () => Effect.succeed(new Versioned(initial, found?.stat)))
        : decode(found)
      const post = next(pre)
      const result = { pre: pre.value, post }
      if (Option.isNone(post)) return { data: undefined, result }
      return { data: yield* data.encode(post.value), result, unconditional: isSet }
    })
    return modify(cell, operation, decide)
  }

  const changed = (operation: string, next: (pre: A) => A, isSet = false) =>
    Effect.map(
      change(operation, ({ value }) => Option.some(next(value)), isSet),
      ({ attempts, result: { post, pre } }) =>
        new Change(
          pre,
          Option.getOrElse(post, () => pre),
          attempts
        )
    )

  const getVersioned = Effect.flatMap(read(cell), decode)
  return {
    path,
    get: Effect.map(getVersioned, ({ value }) => value),
    getVersioned,
    set: (value) => changed("set", () => value, true),
    update: (f) => changed("update", f),
    compareAndSet: (expected, next) =>
      Effect.map(
        // The transaction that wrote it, for a version comes again when a znode is created again.
        change("compareAndSet", ({ stat }) =>
          stat?.mzxid === expected.stat?.mzxid ? Option.some(next) : Option.none()
        ),
        ({ attempts, result: { post, pre } }) =>
          new Exchange(
            pre,
            Option.getOrElse(post, () => pre),
            attempts,
            Option.isSome(post)
          )
      ),
    changes: retryStream(cell.zk.dataChanges(path)).pipe(
      Stream.mapEffect((found) => decode(Option.getOrUndefined(found)))
    )
  }
})

interface Written<A> {
  readonly pre: A
  /** None when nothing was written. */
  readonly post: Option.Option<A>
}
