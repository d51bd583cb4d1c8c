/**
 * A number that many processes count with.
 *
 * **Guarantees**
 *
 * - Every change that succeeds is applied once, to the number in `pre`: no other change came in between.
 * - A change whose reply was lost is never sent again before it is known that it was not applied. Where the data does not
 *   tell, it fails with `OutcomeUnknown`: often with most layouts, and with `exact` only after 64 other writers.
 * - A znode may be deleted and created again, with the same version, between the read and the write. A change that has met
 *   such a znode fails with `OutcomeUnknown` and the reason `remade`. ZooKeeper compares versions alone, so no client can
 *   prevent that the write replaces the number of the new znode.
 * - A change that does not fit fails with `OutOfRange`, and data that is not a number with `DataInvalid`; neither writes.
 *
 * It does not guarantee that a counter with many writers is fast: each change is a conditional write to one znode, and of
 * those that meet only one succeeds. The changes of one instance run one after the other.
 *
 * @since 0.1.0
 */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Change, Exchange } from "./Change.ts"
import { DataInvalid, OutOfRange } from "./Errors.ts"
import type { Contended, OutcomeUnknown, RecipeError, VersionExhausted } from "./Errors.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"
import {
  contentionKeys,
  type ContentionOptions,
  type Decision,
  type Found,
  makeCell,
  modify,
  read
} from "./internal/values/compareAndSet.ts"
import type { CounterLayout, Mark } from "./internal/values/counterLayout.ts"
import * as Layouts from "./internal/values/counterLayout.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The format of the number.
 *
 * - `curator`: 8 bytes, the highest first, as of Curator's `DistributedAtomicLong`; the default.
 * - `int32`: 4 bytes, the highest first, as of Curator's `SharedCount` and of kazoo's `Counter` with `support_curator`.
 * - `text`: decimal text, as of the counters of aiozk and kazoo.
 * - `exact`: decimal text, and below it the last writers, so that a change whose reply was lost is counted exactly.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "int32" | "text" | "exact"

/**
 * Options of counters in `bigint` and in floats.
 *
 * @category options
 * @since 0.1.0
 */
export interface BaseOptions<N> extends ContentionOptions {
  /** The number where there is no znode; the first change creates the znode. Default 0. */
  readonly initial?: N | undefined
  /**
   * Whether a znode without data counts as `initial`, as it does for Curator, and for kazoo, whose counters begin with
   * one. Default false: such a znode fails with `DataInvalid`.
   */
  readonly emptyIsInitial?: boolean | undefined
}

/**
 * Options of a counter in `bigint`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends BaseOptions<bigint> {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
}

/**
 * Errors of reading a counter.
 *
 * @category errors
 * @since 0.1.0
 */
export type GetError = DataInvalid | RecipeError

/**
 * Errors of changing a counter; `Contended` only with the option `attempts`.
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
  /** The number as the connected server has it, which may lag behind; `initial` where there is no znode. */
  readonly get: Effect.Effect<N, GetError>
  /** Writes a number, whatever is there, also at a version of -1. */
  readonly set: (value: N) => Effect.Effect<Change<N>, ChangeError>
  /** Adds a number, which may be negative. */
  readonly add: (n: N) => Effect.Effect<Change<N>, ChangeError>
  readonly increment: Effect.Effect<Change<N>, ChangeError>
  readonly decrement: Effect.Effect<Change<N>, ChangeError>
  /** Writes the result of `f`, which may run many times. */
  readonly update: (f: (n: N) => N) => Effect.Effect<Change<N>, ChangeError>
  /** Writes `next` if the number is `expected`. */
  readonly compareAndSet: (expected: N, next: N) => Effect.Effect<Exchange<N>, ChangeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a counter at a path, in whole numbers. Nothing is sent before it is used; the first change creates the znode and
 * its missing parents. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Counter } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const visits = yield* Counter.make("/counters/visits", { layout: "exact" })
 *   const { post, pre } = yield* visits.increment
 *   yield* Effect.log(`${pre} → ${post}`)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Counter, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.andThen(
    checkOptions(known, options),
    Effect.suspend(() => makeWith(path, Layouts[options.layout ?? "curator"], options))
  )

/**
 * Makes a counter in floats, kept as text: the format of aiozk and kazoo with a default such as `0.0`.
 *
 * @example
 * ```ts
 * import { Counter } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const total = yield* Counter.makeFloat("/counters/total")
 *   yield* total.add(1.5)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFloat = (
  path: string,
  options: BaseOptions<number> = {}
): Effect.Effect<Counter<number>, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.andThen(
    checkOptions(knownFloat, options),
    Effect.suspend(() => makeWith(path, Layouts.float, options))
  )

// ---- internal

const baseKeys = { ...contentionKeys, initial: true, emptyIsInitial: true } as const

const known = knownOptions<Options>({ ...baseKeys, layout: true }, '{ layout: "exact" }')

const knownFloat = knownOptions<BaseOptions<number>>(baseKeys, "{ initial: 0 }")

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
  // Changes that meet within a process need not meet at the server.
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

  /** Writes the result of `next`; nothing for undefined. */
  const change = (operation: string, next: (pre: N) => Effect.Effect<N | undefined, InvalidArgument>, isSet = false) =>
    turn.withPermit(
      Effect.suspend(() => {
        const mark: Mark = { writer, write: ++writes }
        const decide = Effect.fnUntraced(function* (
          found: Found
        ): Effect.fn.Return<Decision<Written<N>>, DataInvalid | OutOfRange | InvalidArgument> {
          // A `set` may replace data that is not a number.
          const current = decode(found)
          const pre = yield* isSet ? Effect.catch(current, () => Effect.succeed(initial)) : current
          const post = yield* next(pre)
          if (post === undefined) return { data: undefined, result: { pre, post } }
          if (!numbers.fits(post)) return yield* new OutOfRange({ path, value: post, range: numbers.range })
          return { data: layout.encode(post, mark, found), result: { pre, post }, unconditional: isSet }
        })
        return modify(cell, operation, decide, { recognize: layout.recognize(mark) })
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
