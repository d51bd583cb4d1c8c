/**
 * The right to something for a time: it ends by itself, even when its holder hangs or has gone, and survives lost sessions.
 *
 * ```ts
 * const lease = yield* Lease.make("/leases/import", { duration: "1 minute" })
 * yield* lease.withLease(importOnce, { timeout: 0 })
 * ```
 *
 * **Guarantees**
 *
 * - At most `limit` hold it at a time: who takes one writes with the version that it has read, so that of many who try
 *   together one succeeds.
 * - Time is the servers': a lease began with the transaction that wrote it (`mtime`), and is over for others when a later
 *   transaction shows that its duration has passed. The holder counts from before it asked, less a tenth of the duration, and
 *   so stops first.
 * - The holder counts by the worse of two clocks: a machine that sleeps stops the monotonic clock, so each forward leap of the
 *   wall clock beside it counts as time that has passed. Whoever wakes is told within a quarter of a second, and at once when
 *   it asks for anything. A renewal begins anew.
 * - `held.transaction` and `renew` are refused once another has taken the lease, also when its znodes were deleted and made
 *   anew: each holder has a znode with an id in its name. The holder is told of such a deletion. `held.fencingToken` grows
 *   with each holder.
 *
 * It does not guarantee that nobody else holds it when the wall clock of the servers' leader leaps forward, or when the
 * process is stopped for longer than the lease: there the token and the transaction hold. Nor does it know of a sleep that the
 * wall clock does not show, because it was set back meanwhile.
 *
 * Unlike a lock it does not end with its holder's process, but with its time: choose the duration by how long others may
 * wait for one who has died.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { DataInvalid, LockLost, LockTimeout, RecipeError } from "./Errors.ts"
import type { Held } from "./Held.ts"
import { checkCount, checkPath, checkPositive, checkTimeout } from "./internal/shared/validate.ts"
import * as LeaseSlots from "./internal/locks/leaseSlots.ts"
import { toEffect, guardScoped } from "./internal/locks/guard.ts"
import type { AcquireOptions } from "./Lock.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** How long one holds it; numbers are milliseconds. */
  readonly duration: Duration.Input
  /** How many may hold one at a time; the same for all who share the path. Default 1. */
  readonly limit?: number | undefined
  /** Who holds it, for others to see. Default: nothing. */
  readonly identifier?: string | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface HeldLease extends Held {
  /** Begins the duration anew. Fails with `LockLost` when it was over already, or another has taken it. */
  readonly renew: Effect.Effect<void, LockLost | LeaseError>
  /** Milliseconds until it is lost unless it is renewed. */
  readonly remaining: Effect.Effect<number>
}

/**
 * One who holds a lease now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Holder {
  readonly path: string
  /** What it wrote as `identifier`. */
  readonly identifier: string
  /** Milliseconds until others may have it, by the time of the servers. */
  readonly remaining: number
}

/** @category errors @since 0.1.0 */
export type LeaseError = DataInvalid | RecipeError

/**
 * @category models
 * @since 0.1.0
 */
export interface Lease {
  readonly path: string
  /** Takes a lease if one is free, and gives it back when the Scope closes. */
  readonly obtain: Effect.Effect<Option.Option<HeldLease>, LeaseError, Scope.Scope>
  /**
   * Waits for a lease, runs the effect, and gives it back. When the lease ends meanwhile, the effect is interrupted, and
   * `LockLost` reported once its finalizers have run.
   */
  readonly withLease: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: HeldLease) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | LockTimeout | LeaseError, R>
  /** Who holds a lease now. Writes once, to learn the time of the servers. */
  readonly holders: Effect.Effect<ReadonlyArray<Holder>, LeaseError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A lease at a path. Nothing is sent before it is used; the path and its parents are created then. Below it stands one
 * persistent znode for each that may hold it, with one more below it while somebody does, and one by which the time is told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options
): Effect.Effect<Lease, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.lease, options)
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
        Effect.flatMap(Known.checkedTimeout(Known.acquire, options), (timeout) =>
          guardScoped(LeaseSlots.obtainWithin(leaseSlots, timeout), (held) => toEffect(guarded, held))
        ),
      holders: LeaseSlots.holders(leaseSlots)
    }
  })
