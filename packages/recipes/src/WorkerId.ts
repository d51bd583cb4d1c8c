/**
 * Small numbers that tell living processes apart: the lowest that no other has, for as long as the process lives.
 *
 * **Guarantees**
 *
 * - No two clients have a number at the same time: a guarded effect is interrupted before its number can pass to another
 *   client, as with `Lock`.
 * - A client gets the lowest number that is free when its turn comes. Clients come in order of arrival.
 * - A number is free again when its holder gives it back or its session ends.
 *
 * It does not guarantee that a client keeps its number: with a new session it may get another one, and what it made of the
 * former number must not be used any more. Nor that a process which is itself stopped for longer than its session stops in
 * time, as with any lock; there `fencingToken` and `transaction` of what it held protect you, and `Snowflake` never gives an
 * id twice even then.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LockLost, LockTimeout, RecipeError } from "./Errors.ts"
import type { HoldOptions } from "./Held.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { guardScoped, toEffect } from "./internal/locks/guard.ts"
import * as WorkerNumbers from "./internal/locks/workerNumbers.ts"
import {
  type AcquireOptions,
  checkedTimeout,
  checkOptions,
  knownAcquire,
  knownOptions
} from "./internal/shared/options.ts"
import { checkCount, checkPath } from "./internal/shared/validate.ts"
import type { HeldWorkerId, Holder } from "./internal/locks/workerIdModel.ts"

export type { HeldWorkerId, Holder } from "./internal/locks/workerIdModel.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends HoldOptions {
  /** How many numbers there are, from 0 on; the same for all who share the path. Default 1024, at most 65,536. */
  readonly limit?: number | undefined
}

/**
 * The numbers at one path. Use `withWorkerId` to run an effect with one, and `acquire` to have one until a Scope closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface WorkerIds {
  readonly path: string
  /** How many numbers there are. */
  readonly limit: number
  /**
   * Takes the lowest free number until the Scope closes; waits while all are taken. A loss interrupts nothing: race your
   * work with `held.lost`, and take another number afterwards. Fails with `LockTimeout` after `timeout`; with 0 it looks for a
   * free number once.
   */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<HeldWorkerId, LockTimeout | RecipeError, Scope.Scope>
  /**
   * Takes a number, runs the effect, and gives the number back. If it is lost meanwhile, the effect is interrupted, and the
   * call fails with `LockLost` once its finalizers have run.
   */
  readonly withWorkerId: <A, E, R>(
    f: (held: HeldWorkerId) => Effect.Effect<A, E, R>,
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R>
  /** The numbers that are taken, in their order. */
  readonly holders: Effect.Effect<ReadonlyArray<Holder>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes the numbers of a path. Nothing is sent before one is taken; the first use creates the path and its missing parents,
 * as containers. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { WorkerId } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const workers = yield* WorkerId.make("/workers", { limit: 32, identifier: "host-7" })
 *   yield* workers.withWorkerId(({ id }) => Effect.log(`working as number ${id}`))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<WorkerIds, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    yield* checkPath(path)
    const limit = (yield* checkCount("limit", options.limit, { most: 65_536 })) ?? 1024
    const turns = yield* ContenderQueue.make(ZnodePath.join(path, "turns"), options, WorkerNumbers.kinds)
    const numbers: WorkerNumbers.WorkerNumbers = { path, limit, turns, zk: turns.zk }
    const acquire = (options?: AcquireOptions) =>
      Effect.flatMap(checkedTimeout(knownAcquire, options), (timeout) => WorkerNumbers.acquire(numbers, timeout))
    return {
      path,
      limit,
      acquire,
      withWorkerId: (f, options) => guardScoped(acquire(options), (held) => toEffect(f, held)),
      holders: WorkerNumbers.holders(numbers)
    }
  })

// ---- internal

const known = knownOptions<Options>({ limit: true, ...ContenderQueue.holdKeys }, "{ limit: 1024 }")
