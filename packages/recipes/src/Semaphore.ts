/**
 * A number of permits that are shared by any number of processes, given in the order of arrival.
 *
 * ```ts
 * const semaphore = yield* Semaphore.make("/limits/exports", { permits: 4 })
 * yield* semaphore.withPermit(exportReport, { timeout: "1 minute" })
 * ```
 *
 * **Guarantees**
 *
 * - Never more permits are held than there are: what is guarded is interrupted before its permit can pass to another, as
 *   with `Lock`.
 * - Several are had together or not at all, and who waits for many is not overtaken for ever by those who want one.
 * - Whoever gives up, by a timeout, an interruption or an error, leaves no znode behind. Each permit has a loss and a
 *   fencing token of its own.
 *
 * It does not guarantee that processes were told the same number of permits: `PermitsMismatch` says so as long as others of
 * ours hold some; Curator's semaphores do not tell. What `Lock` does not guarantee is not guaranteed here either. It is not
 * re-entrant: who holds a permit and asks for another gets another, or waits.
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
 * A number of permits that can be changed while they are in use. Lowering it takes no permit away from who has one.
 *
 * @category options
 * @since 0.1.0
 */
export interface SharedPermits {
  /** The znode that holds the number, as Curator's SharedCount writes it: four bytes, the highest first. */
  readonly at: string
  /** What it is created with when there is none. */
  readonly initial: number
}

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** How many there are: the same number for all who share the path, or a znode that says it. */
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
 * What acquiring a permit can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type AcquireError = LockTimeout | PermitsMismatch | DataInvalid | RecipeError

/**
 * @category models
 * @since 0.1.0
 */
export interface Semaphore {
  readonly path: string
  /**
   * Acquires a permit, runs the effect, and gives the permit back. When the permit is lost meanwhile the effect is
   * interrupted, and `LockLost` reported once its finalizers have run.
   */
  readonly withPermit: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | AcquireError, R>
  /** The same with several permits at once; the loss of one of them interrupts the effect. */
  readonly withPermits: <A, E, R>(
    permits: number,
    effect: Effect.Effect<A, E, R> | ((held: ReadonlyArray<Held>) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | AcquireError, R>
  /**
   * Acquires a permit until the Scope closes. Nothing is interrupted by a loss: race what you do with `held.lost`.
   */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<Held, AcquireError, Scope.Scope>
  /** Acquires several permits until the Scope closes: all of them, or none. */
  readonly acquireMany: (
    permits: number,
    options?: AcquireOptions
  ) => Effect.Effect<ReadonlyArray<Held>, AcquireError, Scope.Scope>
  /** How many permits nobody has or is about to have. */
  readonly available: Effect.Effect<number, DataInvalid | RecipeError>
  /** A row for each permit that is held, followed by those that the next in the queue is waiting for. */
  readonly holders: Effect.Effect<ReadonlyArray<Contender>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A semaphore at a path. Nothing is sent before it is used; the path and its parents are created then, as containers. Below it
 * stand `locks`, by which those who wait are put in order, and `leases`, with a znode for each permit.
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
