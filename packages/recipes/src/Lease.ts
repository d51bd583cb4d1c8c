/**
 * The right to something for a limited time: it ends by itself, even when its holder hangs or is gone, and it survives
 * lost sessions.
 *
 * **Guarantees**
 *
 * - At most `limit` clients hold a lease at a time. A client takes one by a write at the version that it has read, so that
 *   of several who try together one succeeds.
 * - Time is that of the servers: a lease begins with the transaction that wrote it (`mtime`), and is over for other
 *   clients when a later transaction shows that its duration has passed. The holder counts from before its request, less a
 *   tenth of the duration, and so stops first.
 * - The holder uses the worse of two clocks. A machine that sleeps stops the monotonic clock, so each forward leap of the
 *   wall clock beside it counts as time that has passed. After a sleep the holder learns of the loss within a quarter of a
 *   second, and at once when it uses the lease. A renewal begins anew.
 * - `held.transaction` and `renew` are refused once another client has taken the lease, even if its znodes were deleted
 *   and created again: each holder has a znode with a unique id. The holder learns of such a deletion. `held.fencingToken`
 *   grows with each holder.
 *
 * It does not guarantee that there is a single holder when the wall clock of the servers' leader leaps forward, or when
 * the process is stopped for longer than the lease; there the token and the transaction protect you. Nor does it notice a
 * sleep that the wall clock does not show, because it was set back meanwhile.
 *
 * Unlike a lock it ends with its time and not with its holder's process: choose the duration by how long others may wait
 * for a holder that has died.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { LockLost, LockTimeout } from "./Errors.ts"
import { toEffect, guardScoped } from "./internal/locks/guard.ts"
import * as LeaseSlots from "./internal/locks/leaseSlots.ts"
import type { HeldLease, Holder, LeaseError } from "./internal/locks/leaseSlots.ts"
import {
  type AclOptions,
  type AcquireOptions,
  checkedTimeout,
  checkOptions,
  knownAcquire,
  knownOptions
} from "./internal/shared/options.ts"
import { checkCount, checkPath, checkPositive, checkTimeout } from "./internal/shared/validate.ts"

export type { HeldLease, Holder, LeaseError } from "./internal/locks/leaseSlots.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends AclOptions {
  /** How long a lease lasts. Numbers are milliseconds. */
  readonly duration: Duration.Input
  /** How many clients may hold a lease at a time; the same for all who share the path. Default 1. */
  readonly limit?: number | undefined
  /** Tells others who holds the lease. Default: nothing. */
  readonly identifier?: string | undefined
}

/**
 * Leases at one path. Use `withLease` to run an effect under one, and `obtain` to hold it until a Scope closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lease {
  readonly path: string
  /** Takes a lease if one is free, and gives it back when the Scope closes; None if none is free. */
  readonly obtain: Effect.Effect<Option.Option<HeldLease>, LeaseError, Scope.Scope>
  /**
   * Waits for a lease, runs the effect, and gives the lease back. If the lease ends meanwhile, the effect is interrupted,
   * and the call fails with `LockLost` once its finalizers have run. Fails with `LockTimeout` after `timeout`.
   */
  readonly withLease: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: HeldLease) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | LockTimeout | LeaseError, R>
  /** The current holders. Writes once, to learn the time of the servers. */
  readonly holders: Effect.Effect<ReadonlyArray<Holder>, LeaseError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes leases at a path. Nothing is sent before they are used; the first use creates the path and its missing parents, as
 * containers. Below the path are one persistent znode for each possible holder, with one more below it while it is held,
 * and `clock`, which tells the time. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Lease } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const lease = yield* Lease.make("/leases/import", { duration: "1 minute", identifier: "importer-1" })
 *   yield* lease.withLease((held) => Effect.andThen(Effect.log("importing"), held.renew), { timeout: 0 })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options
): Effect.Effect<Lease, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const duration = yield* checkTimeout(options.duration, "duration")
    const slots = Array.from({ length: (yield* checkCount("limit", options.limit)) ?? 1 }, (_, index) =>
      ZnodePath.join(path, `lease-${index}`)
    )
    const leaseSlots: LeaseSlots.LeaseSlots = {
      zk,
      path,
      clock: ZnodePath.join(path, "clock"),
      slots,
      duration: yield* checkPositive(duration ?? Number.POSITIVE_INFINITY, "duration"),
      identifier: options.identifier ?? "",
      acl: options.acl
    }
    return {
      path,
      obtain: LeaseSlots.obtain(leaseSlots),
      withLease: (guarded, options) =>
        Effect.flatMap(checkedTimeout(knownAcquire, options), (timeout) =>
          guardScoped(LeaseSlots.obtainWithin(leaseSlots, timeout), (held) => toEffect(guarded, held))
        ),
      holders: LeaseSlots.holders(leaseSlots)
    }
  })

// ---- internal

const known = knownOptions<Options>(
  { duration: true, limit: true, identifier: true, acl: true },
  '{ duration: "1 minute" }'
)
