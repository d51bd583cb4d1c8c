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
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { DataInvalid, LockLost, LockTimeout, PermitsMismatch, RecipeError } from "./Errors.ts"
import type { Held } from "./Held.ts"
import { toBytes } from "./internal/shared/dataCodec.ts"
import { checkCount, checkPath } from "./internal/shared/validate.ts"
import type { OnDisconnect } from "./internal/locks/ownership.ts"
import { leaseKind, lockKind } from "./internal/locks/nodeNames.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import * as Permits from "./internal/locks/permits.ts"
import { toEffect, guardScoped } from "./internal/locks/guard.ts"
import type { AcquireOptions, Contender } from "./Lock.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A number of permits that can be changed while they are in use. Lowering it takes no permit away from its holder.
 *
 * @category options
 * @since 0.1.0
 */
export interface SharedPermits {
  /** The znode with the number, as Curator's SharedCount writes it: four bytes, the highest first. */
  readonly at: string
  /** The number to create it with, where there is no such znode. */
  readonly initial: number
}

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** How many permits there are: the same number for all who share the path, or a znode that has the number. */
  readonly permits: number | SharedPermits
  /** Written into the znodes of permits, for others to see who has them. Default: nothing. */
  readonly identifier?: Data | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /**
   * What a lost connection means for the holder. `continue`, the default: nothing until the session is in doubt. `stop`:
   * its permits are lost at once.
   */
  readonly onDisconnect?: OnDisconnect | undefined
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
  /** How many permits are free, not counting those that the next client in the queue is waiting for. */
  readonly available: Effect.Effect<number, DataInvalid | RecipeError>
  /** One row for each permit that is held, followed by those that the next client in the queue is waiting for. */
  readonly holders: Effect.Effect<ReadonlyArray<Contender>, RecipeError>
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
    yield* Known.checkOptions(Known.semaphore, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const limit = yield* checkLimit(options.permits)
    const shared = {
      zk,
      layout: "curator",
      data: toBytes(options.identifier ?? ""),
      acl: options.acl,
      onDisconnect: options.onDisconnect ?? "continue"
    } as const
    const pool: Permits.PermitPool = {
      zk,
      path,
      limit,
      locks: { ...shared, path: ZnodePath.join(path, "locks"), kinds: { lock: lockKind } },
      leases: { ...shared, path: ZnodePath.join(path, "leases"), kinds: { lease: leaseKind } }
    }
    const acquireMany = Effect.fnUntraced(function* (permits: number, options?: AcquireOptions) {
      const timeout = yield* Known.checkedTimeout(Known.acquire, options)
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
      available: Permits.available(pool),
      holders: ContenderQueue.contendersWithIdentifier(pool.leases)
    }
  })

// ---- internal

const maxInt32 = 2_147_483_647

const checkLimit = (permits: number | SharedPermits): Effect.Effect<Permits.Limit, InvalidArgument> =>
  typeof permits === "number"
    ? checkCount("permits", permits, { most: maxInt32 })
    : Effect.gen(function* () {
        yield* Known.checkOptions(Known.sharedPermits, permits ?? null, "permits")
        yield* checkPath(permits.at)
        yield* checkCount("permits", permits.initial, { least: 0, most: maxInt32 })
        return permits
      })
