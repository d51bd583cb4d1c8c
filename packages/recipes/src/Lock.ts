/**
 * A lock with one holder at a time, given in order of arrival.
 *
 * **Guarantees**
 *
 * - The guarded effect is interrupted before another client can own the lock. Ownership ends a margin before the servers
 *   could end the session (`ownershipMargin` of the client, by default a tenth of the session timeout), by this process's
 *   monotonic clock.
 * - A waiter that gives up, by a timeout, an interruption or an error, leaves no znode behind, so that no other waits for
 *   it.
 * - A waiter survives lost connections. With a new session it waits again, at the end of the queue.
 *
 * It does not guarantee that a process which is itself stopped for longer than the session timeout stops in time: nothing
 * runs in it. Such a process learns of the loss before its guarded effect takes another step, and the `fencingToken` and
 * `transaction` of what it held refuse its late writes. An ensemble whose `minSessionTimeout` is below two ticks needs a
 * larger `ownershipMargin`.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LockLost, LockTimeout, RecipeError } from "./Errors.ts"
import type { Held, HoldOptions } from "./Held.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { guardReentrant } from "./internal/locks/guard.ts"
import { type Layout, lockKind } from "./internal/locks/nodeNames.ts"
import type { Ownership } from "./internal/locks/ownership.ts"
import {
  type AcquireOptions,
  checkedTimeout,
  checkOptions,
  knownAcquire,
  knownOptions
} from "./internal/shared/options.ts"

export type { Contender } from "./internal/locks/ContenderQueue.ts"
export type { Layout } from "./internal/locks/nodeNames.ts"
export type { AcquireOptions } from "./internal/shared/options.ts"

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
  /** Default `curator`. */
  readonly layout?: Layout | undefined
}

/**
 * A lock at one path. Use `withLock` to run an effect under it, and `acquire` to hold it until a Scope closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lock {
  readonly path: string
  /**
   * Acquires the lock, runs the effect, and releases the lock. If the lock is lost meanwhile, the effect is interrupted,
   * and the call fails with `LockLost` once its finalizers have run.
   *
   * Re-entrant within a fiber tree: an effect that it guards, and the fibers that are forked there, hold the lock already.
   *
   * Fails with `LockTimeout` after `timeout`, and with `InvalidArgument` for options that are not valid.
   */
  readonly withLock: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R>
  /**
   * Acquires the lock until the Scope closes. A loss interrupts nothing: race your work with `held.lost`. It is not
   * re-entrant: a holder that acquires the same lock again waits for itself.
   */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<Held, LockTimeout | RecipeError, Scope.Scope>
  /** The holder and those who wait, in queue order. */
  readonly contenders: Effect.Effect<ReadonlyArray<ContenderQueue.Contender>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a lock at a path. Nothing is sent before it is used; the first use creates the path and its missing parents, as
 * containers. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Lock } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const lock = yield* Lock.make("/locks/report")
 *   yield* lock.withLock(Effect.log("reporting"), { timeout: "10 seconds" })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Lock, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const queue = yield* ContenderQueue.make(path, options, { lock: lockKind }, options.layout)
    const acquire = (options?: AcquireOptions): Effect.Effect<Ownership, LockTimeout | RecipeError, Scope.Scope> =>
      Effect.flatMap(checkedTimeout(knownAcquire, options), (timeout) =>
        ContenderQueue.acquire(queue, "lock", ContenderQueue.predecessor, timeout)
      )
    return {
      path,
      withLock: (effect, options) => guardReentrant({ zk: queue.zk, path, kind: "lock" }, acquire(options), effect),
      acquire,
      contenders: ContenderQueue.contendersWithIdentifier(queue)
    }
  })

const known = knownOptions<Options>({ layout: true, ...ContenderQueue.holdKeys }, '{ identifier: "worker-1" }')

/**
 * Holds several locks at once, and runs the effect. It acquires them in the order of their paths, whatever the order of
 * the array, so that clients that want the same locks never wait for each other in a circle. This holds for the locks of
 * one client, and of clients with the same chroot. The effect is interrupted when one of the locks is lost; the call then
 * fails with `LockLost`. `timeout` applies to each lock.
 *
 * @example
 * ```ts
 * import { Lock } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const transfer = Effect.gen(function* () {
 *   const from = yield* Lock.make("/locks/accounts/1")
 *   const to = yield* Lock.make("/locks/accounts/2")
 *   yield* Lock.withLocks([from, to], Effect.log("transferring"), { timeout: "5 seconds" })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const withLocks = <A, E, R>(
  locks: ReadonlyArray<Lock>,
  effect: Effect.Effect<A, E, R>,
  options?: AcquireOptions
): Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R> => {
  // Where the array has a lock twice, the second one is held already.
  const ordered = locks.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return ordered.reduceRight<Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R>>(
    (inner, lock) => lock.withLock(inner, options),
    effect
  )
}
