/**
 * A number of permits that any number of processes share, given in order of arrival.
 *
 * **Guarantees**
 *
 * - There are never more holders than permits: the guarded effect is interrupted before its permit can pass to another
 *   client, as with `Lock`.
 * - Several permits are acquired together or not at all. A client that waits for many is not overtaken forever by clients
 *   that want one.
 * - A client that gives up, by a timeout, an interruption or an error, leaves no znode behind. Each permit has a loss and
 *   a fencing token of its own.
 *
 * It does not guarantee that all processes were given the same number of permits. A mismatch fails with `PermitsMismatch`
 * as long as other clients of this library hold permits; Curator's semaphores do not tell their number. Anything that
 * `Lock` does not guarantee is not guaranteed here either. It is not re-entrant: a holder that asks for another permit
 * gets a second one, or waits.
 *
 * @since 0.1.0
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { DataInvalid, LockLost, LockTimeout, PermitsMismatch, RecipeError } from "./Errors.ts"
import type { Held, HoldOptions } from "./Held.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { toEffect, guardScoped } from "./internal/locks/guard.ts"
import { leaseKind, lockKind } from "./internal/locks/nodeNames.ts"
import * as Permits from "./internal/locks/permits.ts"
import type { SharedPermits } from "./internal/locks/permits.ts"
import {
  type AcquireOptions,
  checkedTimeout,
  checkOptions,
  knownAcquire,
  knownOptions
} from "./internal/shared/options.ts"
import { checkCount, checkPath } from "./internal/shared/validate.ts"

export type { SharedPermits } from "./internal/locks/permits.ts"

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
  /** How many there are: the same number for all who share the path, or a znode that has the number. */
  readonly permits: number | SharedPermits
}

/**
 * All errors of acquiring a permit.
 *
 * @category errors
 * @since 0.1.0
 */
export type AcquireError = LockTimeout | PermitsMismatch | DataInvalid | RecipeError

/**
 * A semaphore at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface Semaphore {
  readonly path: string
  /**
   * Acquires a permit, runs the effect, and gives the permit back. If the permit is lost meanwhile, the effect is
   * interrupted, and the call fails with `LockLost` once its finalizers have run.
   */
  readonly withPermit: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | AcquireError, R>
  /** `withPermit` with several permits at once; the loss of one of them interrupts the effect. */
  readonly withPermits: <A, E, R>(
    permits: number,
    effect: Effect.Effect<A, E, R> | ((held: ReadonlyArray<Held>) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | AcquireError, R>
  /** Acquires a permit until the Scope closes. A loss interrupts nothing: race your work with `held.lost`. */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<Held, AcquireError, Scope.Scope>
  /** Acquires several permits until the Scope closes: all of them, or none. */
  readonly acquireMany: (
    permits: number,
    options?: AcquireOptions
  ) => Effect.Effect<ReadonlyArray<Held>, AcquireError, Scope.Scope>
  /**
   * Asks all holders to give it up, or one contender of `holders`: it hears it by `held.revocation`, and nothing
   * forces it. Curator's `Revoker` does the same. Gives how many were asked. The request replaces the `identifier` in
   * the contender's znode. Fails with `NoAuth` where the ACL does not let this client write there, and with
   * `InvalidArgument` for a path that is not a contender's.
   */
  readonly revoke: (contender?: Pick<ContenderQueue.Contender, "path">) => Effect.Effect<number, RecipeError>
  /** How many permits are free, not counting those that the next client in the queue is waiting for. */
  readonly available: Effect.Effect<number, DataInvalid | RecipeError>
  /** One row for each permit that is held, followed by those that the next client in the queue is waiting for. */
  readonly holders: Effect.Effect<ReadonlyArray<ContenderQueue.Contender>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a semaphore at a path. Nothing is sent before it is used; the first use creates the path and its missing parents,
 * as containers. Below the path are `locks`, which puts waiting clients in order, and `leases`, with a znode for each
 * permit. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Semaphore } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const semaphore = yield* Semaphore.make("/limits/exports", { permits: 4 })
 *   yield* semaphore.withPermit(Effect.log("exporting"), { timeout: "1 minute" })
 *   // All three, or none.
 *   yield* semaphore.withPermits(3, Effect.log("exporting much"))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options
): Effect.Effect<Semaphore, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    yield* checkPath(path)
    const limit = yield* checkLimit(options.permits)
    const locks = yield* ContenderQueue.make(ZnodePath.join(path, "locks"), options, { lock: lockKind })
    const leases = yield* ContenderQueue.make(ZnodePath.join(path, "leases"), options, { lease: leaseKind })
    const pool: Permits.PermitPool = { zk: locks.zk, path, limit, locks, leases }
    const acquireMany = Effect.fnUntraced(function* (permits: number, options?: AcquireOptions) {
      const timeout = yield* checkedTimeout(knownAcquire, options)
      yield* checkCount("permits", permits, { most: typeof limit === "number" ? limit : maxInt32 })
      return yield* Permits.acquire(pool, permits, timeout)
    })
    const acquire = (options?: AcquireOptions) => Effect.map(acquireMany(1, options), ([held]) => held!)
    return {
      path,
      withPermit: (effect, options) => guardScoped(acquire(options), (held) => toEffect(effect, held)),
      withPermits: (permits, effect, options) =>
        guardScoped(Effect.map(acquireMany(permits, options), Permits.combine), ({ held }) => toEffect(effect, held)),
      acquire,
      acquireMany,
      revoke: (holder) => ContenderQueue.revoke(leases, (all) => all, holder),
      available: Permits.available(pool),
      holders: ContenderQueue.contendersWithIdentifier(pool.leases)
    }
  })

// ---- internal

const known = knownOptions<Options>({ permits: true, ...ContenderQueue.holdKeys }, "{ permits: 3 }")

const knownShared = knownOptions<SharedPermits>({ at: true, initial: true }, '{ at: "/permits", initial: 3 }')

const maxInt32 = 2_147_483_647

const checkLimit = (permits: number | SharedPermits): Effect.Effect<Permits.Limit, InvalidArgument> =>
  typeof permits === "number"
    ? checkCount("permits", permits, { most: maxInt32 })
    : Effect.gen(function* () {
        yield* checkOptions(knownShared, permits ?? null, "permits")
        yield* checkPath(permits.at)
        yield* checkCount("permits", permits.initial, { least: 0, most: maxInt32 })
        return permits
      })
