/**
 * A number that many processes count on.
 *
 * ```ts
 * const visits = yield* Counter.make("/counters/visits")
 * const { pre, post } = yield* visits.increment
 * ```
 *
 * **Guarantees**
 *
 * - Every change that succeeds is applied once, to the number that it says in `pre`: no other came in between.
 * - A change whose reply was lost is never sent again before it is known that it was not applied. With the layout `exact`
 *   that is known; with all others it fails with `OutcomeUnknown` where the version does not tell.
 * - A change that met another znode than the one that was read, which somebody had deleted and made anew with the same version
 *   in between, fails with `OutcomeUnknown` and the reason `remade`. ZooKeeper compares versions alone, so that the number of
 *   that znode is replaced by then: nobody can prevent that.
 * - A change that would not fit fails with `OutOfRange`, and data that is no number with `DataInvalid`; neither writes.
 *
 * It does not guarantee that a counter with many writers is fast: each change is a conditional write to one znode, and of
 * those that meet one gets through. What is asked of one instance is done in turn.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Change, Exchange } from "./Change.ts"
import { DataInvalid, OutOfRange } from "./Errors.ts"
import type { Contended, OutcomeUnknown, RecipeError, VersionExhausted } from "./Errors.ts"
import { type Decision, type Found, modify, read } from "./internal/values/compareAndSet.ts"
import { type ContentionOptions, makeCell } from "./internal/values/contention.ts"
import type { CounterLayout, Mark } from "./internal/values/counterLayout.ts"
import * as Layouts from "./internal/values/counterLayout.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How the number stands in the znode.
 *
 * - `curator`: 8 bytes, the highest first, as of Curator's `DistributedAtomicLong`; the default.
 * - `int32`: 4 bytes, the highest first, as of Curator's `SharedCount` and of kazoo's `Counter` with `support_curator`.
 * - `text`: decimal text, as of the counters of aiozk and kazoo.
 * - `exact`: decimal text, and below it who wrote last, so that a change whose reply was lost is counted exactly.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "int32" | "text" | "exact"

/**
 * @category options
 * @since 0.1.0
 */
export interface BaseOptions<N> extends ContentionOptions {
  /** What is counted from where there is no znode; it is created by the first change. Default 0. */
  readonly initial?: N | undefined
  /**
   * Whether a znode without data counts as `initial`, as for Curator, and for kazoo, whose counters begin with one. Default
   * false: `DataInvalid`.
   */
  readonly emptyIsInitial?: boolean | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface Options extends BaseOptions<bigint> {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
}

/**
 * What reading a counter can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type GetError = DataInvalid | RecipeError

/**
 * What changing a counter can fail with; `Contended` only with the option `attempts`.
 *
 * @category errors
 * @since 0.1.0
 */
export type ChangeError = OutOfRange | DataInvalid | OutcomeUnknown | VersionExhausted | Contended | RecipeError

/**
 * A counter in whole numbers (`bigint`) or floats (`number`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Counter<N = bigint> {
  readonly path: string
  /** The number as the connected server has it, which may lag; `initial` if there is none. */
  readonly get: Effect.Effect<N, GetError>
  /** Writes a number, whatever is there. Goes through at a version of -1, too. */
  readonly set: (value: N) => Effect.Effect<Change<N>, ChangeError>
  /** Adds a number, which may be negative. */
  readonly add: (n: N) => Effect.Effect<Change<N>, ChangeError>
  readonly increment: Effect.Effect<Change<N>, ChangeError>
  readonly decrement: Effect.Effect<Change<N>, ChangeError>
  /** Writes what `f` makes of the number. `f` may run many times. */
  readonly update: (f: (n: N) => N) => Effect.Effect<Change<N>, ChangeError>
  /** Writes `next` if the number is `expected`. */
  readonly compareAndSet: (expected: N, next: N) => Effect.Effect<Exchange<N>, ChangeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A counter at a path, in whole numbers. Nothing is sent before it is used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Counter, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.andThen(
    Known.checkOptions(Known.counter, options),
    Effect.suspend(() => makeWith(path, Layouts[options.layout ?? "curator"], options))
  )

/**
 * A counter in floats, as text: what aiozk and kazoo do with a default such as `0.0`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFloat = (
  path: string,
  options: BaseOptions<number> = {}
): Effect.Effect<Counter<number>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.andThen(
    Known.checkOptions(Known.counterFloat, options),
    Effect.suspend(() => makeWith(path, Layouts.float, options))
  )

// ---- internal

const makeWith = Effect.fnUntraced(function* <N extends bigint | number>(
  path: string,
  layout: CounterLayout<N>,
  options: BaseOptions<N>
): Effect.fn.Return<Counter<N>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> {
  const cell = yield* makeCell(path, options)
  const { numbers } = layout
  const check = (argument: string, value: N): Effect.Effect<N, InvalidArgument> =>
    numbers.is(value)
      ? Effect.succeed(value)
      : Effect.fail(new InvalidArgument({ argument, value: String(value), rule: `one of the ${numbers.range}` }))
  const initial = yield* check("initial", options.initial ?? numbers.zero)
  const writer = (yield* Guid.make).replaceAll("-", "").slice(0, 16)
  // Those who meet within a process need not meet at the server.
  const turn = Semaphore.makeUnsafe(1)
  let writes = 0

  const decode = (found: Found): Effect.Effect<N, DataInvalid> => {
    if (found === undefined || (found.data.byteLength === 0 && options.emptyIsInitial === true)) {
      return Effect.succeed(initial)
    }
    const value = layout.decode(found.data)
    return value === undefined
      ? Effect.fail(new DataInvalid({ path, expected: layout.expected }))
      : Effect.succeed(value)
  }

  /** Writes what `next` makes of the number; nothing for undefined. */
  const change = (operation: string, next: (pre: N) => Effect.Effect<N | undefined, InvalidArgument>, isSet = false) =>
    turn.withPermit(
      Effect.suspend(() => {
        const mark: Mark = { writer, write: ++writes }
        const decide = Effect.fnUntraced(function* (
          found: Found
        ): Effect.fn.Return<Decision<Written<N>>, DataInvalid | OutOfRange | InvalidArgument> {
          // What a `set` replaces need not be a number.
          const current = decode(found)
          const pre = yield* isSet ? Effect.catch(current, () => Effect.succeed(initial)) : current
          const post = yield* next(pre)
          if (post === undefined) return { data: undefined, result: { pre, post } }
          if (!numbers.fits(post)) return yield* new OutOfRange({ path, value: post, range: numbers.range })
          return { data: layout.encode(post, mark, found), result: { pre, post }, unconditional: isSet }
        })
        return modify(cell, operation, decide, layout.recognize(mark))
      })
    )

  const changed = (operation: string, next: (pre: N) => Effect.Effect<N, InvalidArgument>, isSet = false) =>
    Effect.map(
      change(operation, next, isSet),
      ({ attempts, result: { post, pre } }) => new Change(pre, post ?? pre, attempts)
    )

  const add = (operation: string, n: N) =>
    Effect.andThen(
      check("n", n),
      changed(operation, (pre) => Effect.succeed(numbers.add(pre, n)))
    )

  return {
    path,
    get: Effect.flatMap(read(cell), decode),
    set: (value) => changed("set", () => check("value", value), true),
    add: (n) => add("add", n),
    increment: add("increment", numbers.one),
    decrement: add("decrement", numbers.negate(numbers.one)),
    update: (f) => changed("update", (pre) => Effect.suspend(() => check("what f gives", f(pre)))),
    compareAndSet: (expected, next) =>
      Effect.map(
        change("compareAndSet", (pre) => (pre === expected ? check("next", next) : Effect.undefined)),
        ({ attempts, result: { post, pre } }) => new Exchange(pre, post ?? pre, attempts, post !== undefined)
      )
  }
})

interface Written<N> {
  readonly pre: N
  /** Undefined when nothing was written. */
  readonly post: N | undefined
}
