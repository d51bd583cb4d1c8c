/**
 * The Promise APIs of counters, values and id generators. Members with values of the application are declared one by one,
 * because these must be given as they are.
 */
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import * as PromiseAdapter from "@effect-zookeeper/client/PromiseAdapter"
import type { CallOptions, Promised } from "@effect-zookeeper/client/PromiseAdapter"
import * as AtomicValue from "../../AtomicValue.ts"
import type { Change, Exchange } from "../../Change.ts"
import * as Counter from "../../Counter.ts"
import * as IdGenerator from "../../IdGenerator.ts"
import * as Snowflake from "../../Snowflake.ts"
import * as Stm from "../../Stm.ts"
import { guardedCallback, promisify, makeSync } from "./adapt.ts"
import type { Callback } from "./locks.ts"

/**
 * See `Counter`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseCounter<N = bigint> = Promised<Counter.Counter<N>>

/**
 * See `IdGenerator`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseIdGenerator = Promised<IdGenerator.IdGenerator>

/**
 * See `AtomicValue`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseAtomicValue<A> {
  readonly path: string
  /** The value as the connected server has it. Rejects with `DataInvalid` if it cannot be decoded. */
  readonly get: (call?: CallOptions) => Promise<A>
  /** The value with its Stat, for `compareAndSet`. Rejects with `DataInvalid` if it cannot be decoded. */
  readonly getVersioned: (call?: CallOptions) => Promise<AtomicValue.Versioned<A>>
  /** Writes a value, whatever is there. Rejects with `OutcomeUnknown` if the fate of the write stays unknown. */
  readonly set: (value: A, call?: CallOptions) => Promise<Change<A>>
  /** Writes the result of `f`, which may run many times. Rejects with `OutcomeUnknown`, or `Contended`. */
  readonly update: (f: (value: A) => A, call?: CallOptions) => Promise<Change<A>>
  /** Writes `next` unless another client has written since `expected` was read. Rejects as `update` does. */
  readonly compareAndSet: (expected: AtomicValue.Versioned<A>, next: A, call?: CallOptions) => Promise<Exchange<A>>
  /** The current value, then each newer one. */
  readonly changes: AsyncIterable<AtomicValue.Versioned<A>>
}

/**
 * See `Snowflake`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseSnowflake = Promised<Snowflake.Snowflake>

/**
 * See `Transaction`, of which this is the Promise form. When a run is to be repeated, its calls reject: let the rejection
 * pass.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseTransaction = Promised<Stm.Transaction>

/**
 * See `Stm`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseStm extends Pick<Stm.Stm, "path"> {
  /**
   * Calls the callback, applies what it has written, and resolves with its result; see `Stm.atomically`. The callback may be
   * called many times, and never twice at a time. Rejects with the callback's own error, and with `CommitError`.
   */
  readonly atomically: <A>(f: Callback<PromiseTransaction, A>, call?: CallOptions) => Promise<A>
}

/** The recipes for values. */
export interface ValueRecipes {
  /** See `AtomicValue.make`. */
  readonly atomicValue: {
    (path: string, options?: AtomicValue.BytesOptions): PromiseAtomicValue<Uint8Array>
    <A, I>(path: string, options: AtomicValue.Options<A, I>): PromiseAtomicValue<A>
  }
  /** See `Counter.make`. */
  readonly counter: (path: string, options?: Counter.Options) => PromiseCounter
  /** A counter in floats, kept as text. */
  readonly counterFloat: (path: string, options?: Counter.BaseOptions<number>) => PromiseCounter<number>
  /** See `IdGenerator.make`. */
  readonly idGenerator: (path: string, options?: IdGenerator.Options) => PromiseIdGenerator
  /** Ids in the order of asking, across all processes. */
  readonly idGeneratorOrdered: (path: string, options?: IdGenerator.OrderedOptions) => PromiseIdGenerator
  /** See `Snowflake.make`. */
  readonly snowflake: (path: string, options?: Snowflake.Options) => PromiseSnowflake
  /** See `Stm.make`. */
  readonly stm: (path: string, options?: Stm.Options) => PromiseStm
}

export const valueRecipes = (zk: PromiseClient): ValueRecipes => ({
  atomicValue: <A, I>(path: string, options?: AtomicValue.BytesOptions | AtomicValue.Options<A, I>) =>
    // One of the two, as `AtomicValue.make` tells them apart.
    promiseAtomicValue(
      zk,
      makeSync(zk, AtomicValue.make(path, options as AtomicValue.Options<A, I>))
    ) as PromiseAtomicValue<A> & PromiseAtomicValue<Uint8Array>,
  counter: (path, options) => promisify(zk, makeSync(zk, Counter.make(path, options))),
  counterFloat: (path, options) => promisify(zk, makeSync(zk, Counter.makeFloat(path, options))),
  idGenerator: (path, options) => promisify(zk, makeSync(zk, IdGenerator.make(path, options))),
  idGeneratorOrdered: (path, options) => promisify(zk, makeSync(zk, IdGenerator.makeOrdered(path, options))),
  snowflake: (path, options) => promisify(zk, makeSync(zk, Snowflake.make(path, options))),
  stm: (path, options) => {
    const stm = makeSync(zk, Stm.make(path, options))
    return {
      path,
      atomically: (f, call) => {
        const run = guardedCallback(zk, f)
        return zk.run(
          stm.atomically(({ create, delete: delete_, get, retry, set }) =>
            run({ create, delete: delete_, get, retry, set })
          ),
          call
        )
      }
    }
  }
})

const promiseAtomicValue = <A>(zk: PromiseClient, value: AtomicValue.AtomicValue<A>): PromiseAtomicValue<A> => ({
  path: value.path,
  get: (call) => zk.run(value.get, call),
  getVersioned: (call) => zk.run(value.getVersioned, call),
  set: (next, call) => zk.run(value.set(next), call),
  update: (f, call) => zk.run(value.update(f), call),
  compareAndSet: (expected, next, call) => zk.run(value.compareAndSet(expected, next), call),
  changes: PromiseAdapter.iterable(zk.run, value.changes)
})
