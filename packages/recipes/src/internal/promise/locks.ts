/**
 * The Promise APIs of locks, permits, leases and elections.
 */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as Op from "@effect-zookeeper/client/Op"
import type { CallOptions, Promised } from "@effect-zookeeper/client/PromiseAdapter"
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import * as Effect from "effect/Effect"
import type { Held } from "../../Held.ts"
import * as LeaderElection from "../../LeaderElection.ts"
import * as Lease from "../../Lease.ts"
import * as Lock from "../../Lock.ts"
import * as ReadWriteLock from "../../ReadWriteLock.ts"
import * as Semaphore from "../../Semaphore.ts"
import * as WorkerId from "../../WorkerId.ts"
import {
  acquireReleasable,
  acquireReleasableOption,
  guardedCallback,
  makeSync,
  promisify,
  type Releasable
} from "./adapt.ts"

/**
 * A hold; see `Held`. `lost()` rejects with `LockLost` at the moment of the loss.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseHeld extends Omit<Promised<Held>, "transaction"> {
  /**
   * A transaction that the server applies only while it is held; see `Held.transaction`. Rejects with `LockLost` after a
   * loss, and with `TransactionFailed` for a refused operation.
   */
  readonly transaction: <const Ops extends ReadonlyArray<Op.Write>>(
    ops: Ops,
    call?: CallOptions
  ) => Promise<Promised<Op.WriteResults<Ops>>>
}

/**
 * Something acquired, to be given back by `release()` or by `await using`.
 *
 * @category models
 * @since 0.1.0
 */
export type Acquired<T> = Releasable<T>

/**
 * A callback that runs while something is held.
 *
 * @category models
 * @since 0.1.0
 */
export type Callback<In, A> = (input: In & { readonly signal: AbortSignal }) => PromiseLike<A> | A

/**
 * See `Lock`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseLock extends Omit<Promised<Lock.Lock>, "withLock" | "acquire"> {
  /**
   * Acquires the lock, runs the callback, and releases the lock; see `Lock.withLock`. Not re-entrant. Rejects with
   * `LockTimeout`, with `LockLost` after a loss, and with the callback's own error.
   */
  readonly withLock: <A>(f: Callback<PromiseHeld, A>, options?: Lock.AcquireOptions, call?: CallOptions) => Promise<A>
  /** Acquires the lock until it is released. Rejects with `LockTimeout` after `timeout`. */
  readonly acquire: (options?: Lock.AcquireOptions, call?: CallOptions) => Promise<Acquired<PromiseHeld>>
}

/**
 * See `LeaderElection`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseLeaderElection extends Omit<
  Promised<LeaderElection.LeaderElection>,
  "whileLeader" | "acquire"
> {
  /**
   * Becomes a candidate, runs the callback while it leads, and is a candidate again after a loss; see
   * `LeaderElection.whileLeader`. Rejects with the callback's own error.
   */
  readonly whileLeader: <A>(f: Callback<PromiseHeld, A>, call?: CallOptions) => Promise<A>
  /** Becomes a candidate, and leads until it is released or lost. Rejects with `LockTimeout` after `timeout`. */
  readonly acquire: (options?: Lock.AcquireOptions, call?: CallOptions) => Promise<Acquired<PromiseHeld>>
}

/**
 * A lease that is held; see `HeldLease`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseHeldLease extends PromiseHeld, Pick<Promised<Lease.HeldLease>, "renew" | "remaining"> {}

/**
 * See `Lease`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseLease extends Omit<Promised<Lease.Lease>, "withLease" | "obtain"> {
  /** Takes a lease, or resolves with undefined when none is free. */
  readonly obtain: (call?: CallOptions) => Promise<Acquired<PromiseHeldLease> | undefined>
  /**
   * Waits for a lease, runs the callback, and gives the lease back; see `Lease.withLease`. Rejects with `LockTimeout`,
   * with `LockLost` after a loss, and with the callback's own error.
   */
  readonly withLease: <A>(
    f: Callback<PromiseHeldLease, A>,
    options?: Lock.AcquireOptions,
    call?: CallOptions
  ) => Promise<A>
}

/**
 * One side of a read-write lock.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseSide<Options> {
  /**
   * Acquires this side, runs the callback, and releases it. Not re-entrant. Rejects with `LockTimeout`, with `LockLost`
   * after a loss, and with the callback's own error.
   */
  readonly withLock: <A>(f: Callback<PromiseHeld, A>, options?: Options, call?: CallOptions) => Promise<A>
  /** Acquires this side until it is released. Rejects with `LockTimeout` after `timeout`. */
  readonly acquire: (options?: Options, call?: CallOptions) => Promise<Acquired<PromiseHeld>>
}

/**
 * See `ReadWriteLock`, of which this is the Promise form. A call does not know what other calls hold: name the lock to
 * downgrade with `{ downgrade: held }`, and do not wait for the write side while you hold the read side.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseReadWriteLock extends Omit<Promised<ReadWriteLock.ReadWriteLock>, "read" | "write"> {
  readonly read: PromiseSide<ReadWriteLock.ReadOptions>
  readonly write: PromiseSide<Lock.AcquireOptions>
}

/**
 * Several permits, each with a loss and a token of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromisePermits {
  readonly permits: ReadonlyArray<PromiseHeld>
}

/**
 * See `Semaphore`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseSemaphore extends Pick<
  Promised<Semaphore.Semaphore>,
  "path" | "available" | "holders" | "revoke"
> {
  /**
   * Acquires a permit, runs the callback, and gives the permit back; see `Semaphore.withPermit`. Rejects with
   * `LockTimeout`, `PermitsMismatch`, `LockLost` after a loss, or the callback's own error.
   */
  readonly withPermit: <A>(f: Callback<PromiseHeld, A>, options?: Lock.AcquireOptions, call?: CallOptions) => Promise<A>
  /** The same with several permits, all or none. */
  readonly withPermits: <A>(
    permits: number,
    f: Callback<PromisePermits, A>,
    options?: Lock.AcquireOptions,
    call?: CallOptions
  ) => Promise<A>
  /** Acquires a permit until it is released. Rejects with `LockTimeout` or `PermitsMismatch`. */
  readonly acquire: (options?: Lock.AcquireOptions, call?: CallOptions) => Promise<Acquired<PromiseHeld>>
  /** Acquires several permits, all or none, until they are released. */
  readonly acquireMany: (
    permits: number,
    options?: Lock.AcquireOptions,
    call?: CallOptions
  ) => Promise<Acquired<PromisePermits>>
}

/**
 * A number that is held; see `HeldWorkerId`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseHeldWorkerId extends PromiseHeld, Pick<WorkerId.HeldWorkerId, "id"> {}

/**
 * See `WorkerIds`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseWorkerIds extends Pick<Promised<WorkerId.WorkerIds>, "path" | "limit" | "holders"> {
  /** Takes the lowest free number until it is released. Rejects with `LockTimeout` after `timeout`. */
  readonly acquire: (options?: Lock.AcquireOptions, call?: CallOptions) => Promise<Acquired<PromiseHeldWorkerId>>
  /**
   * Takes a number, runs the callback, and gives the number back. Rejects with `LockTimeout`, with `LockLost` after a loss,
   * and with the callback's own error.
   */
  readonly withWorkerId: <A>(
    f: Callback<PromiseHeldWorkerId, A>,
    options?: Lock.AcquireOptions,
    call?: CallOptions
  ) => Promise<A>
}

/** The recipes for locks. */
export interface LockRecipes {
  /** See `LeaderElection.make`. */
  readonly leaderElection: (path: string, options?: LeaderElection.Options) => PromiseLeaderElection
  /** See `Lease.make`. */
  readonly lease: (path: string, options: Lease.Options) => PromiseLease
  /** See `Lock.make`. */
  readonly lock: (path: string, options?: Lock.Options) => PromiseLock
  /** See `ReadWriteLock.make`. */
  readonly readWriteLock: (path: string, options?: ReadWriteLock.Options) => PromiseReadWriteLock
  /** See `Semaphore.make`. */
  readonly semaphore: (path: string, options: Semaphore.Options) => PromiseSemaphore
  /** See `WorkerId.make`. */
  readonly workerIds: (path: string, options?: WorkerId.Options) => PromiseWorkerIds
  /**
   * Holds several locks of this client at once, acquired in the order of their paths, so that clients that want the same
   * locks never wait for each other in a circle. The signal is aborted when one of them is lost; `timeout` applies to
   * each. Rejects with `InvalidArgument` for a lock that `lock` did not make.
   */
  readonly withLocks: <A>(
    locks: ReadonlyArray<PromiseLock>,
    f: Callback<object, A>,
    options?: Lock.AcquireOptions,
    call?: CallOptions
  ) => Promise<A>
}

export const lockRecipes = (zk: PromiseClient): LockRecipes => ({
  leaderElection: (path, options) => {
    const election = makeSync(zk, LeaderElection.make(path, options))
    return {
      ...promisify(zk, election),
      whileLeader: (f, call) => zk.run(election.whileLeader(guardedCallback(zk, f)), call),
      acquire: (options, call) => acquireReleasable(zk, election.acquire(options), call)
    }
  },
  lease: (path, options) => {
    const lease = makeSync(zk, Lease.make(path, options))
    return {
      ...promisify(zk, lease),
      obtain: (call) => acquireReleasableOption(zk, lease.obtain, call),
      withLease: (f, options, call) => zk.run(lease.withLease(guardedCallback(zk, f), options), call)
    }
  },
  lock: (path, options) => {
    const lock = makeSync(zk, Lock.make(path, options))
    const adapted: PromiseLock = {
      ...promisify(zk, lock),
      withLock: (f, options, call) => zk.run(lock.withLock(guardedCallback(zk, f), options), call),
      acquire: (options, call) => acquireReleasable(zk, lock.acquire(options), call)
    }
    lockOf.set(adapted, lock)
    return adapted
  },
  readWriteLock: (path, options) => {
    const lock = makeSync(zk, ReadWriteLock.make(path, options))
    const { contenders, revoke } = promisify(zk, lock)
    return { path, contenders, revoke, read: side(zk, lock.read), write: side(zk, lock.write) }
  },
  semaphore: (path, options) => {
    const semaphore = makeSync(zk, Semaphore.make(path, options))
    const { available, holders, revoke } = promisify(zk, semaphore)
    const named = <A>(f: Callback<PromisePermits, A>) => {
      const run = guardedCallback(zk, f)
      return (permits: ReadonlyArray<Held>) => run({ permits })
    }
    return {
      path,
      available,
      holders,
      revoke,
      withPermit: (f, options, call) => zk.run(semaphore.withPermit(guardedCallback(zk, f), options), call),
      withPermits: (permits, f, options, call) => zk.run(semaphore.withPermits(permits, named(f), options), call),
      acquire: (options, call) => acquireReleasable(zk, semaphore.acquire(options), call),
      acquireMany: (permits, options, call) =>
        acquireReleasable(
          zk,
          Effect.map(semaphore.acquireMany(permits, options), (permits) => ({ permits })),
          call
        )
    }
  },
  workerIds: (path, options) => {
    const workers = makeSync(zk, WorkerId.make(path, options))
    const { holders, limit } = promisify(zk, workers)
    return {
      path,
      limit,
      holders,
      acquire: (options, call) => acquireReleasable(zk, workers.acquire(options), call),
      withWorkerId: (f, options, call) => zk.run(workers.withWorkerId(guardedCallback(zk, f), options), call)
    }
  },
  withLocks: (locks, f, options, call) => {
    const run = guardedCallback(zk, f)
    const held = Effect.forEach(locks, (adapted) => {
      const lock = lockOf.get(adapted)
      const rule = "a lock that recipes(zk).lock(path) has given"
      return lock === undefined
        ? Effect.fail(new InvalidArgument({ argument: "locks", value: String(adapted), rule }))
        : Effect.succeed(lock)
    })
    return zk.run(
      Effect.flatMap(held, (locks) => Lock.withLocks(locks, run({}), options)),
      call
    )
  }
})

// ---- internal

/** The lock behind its Promise API. */
const lockOf = new WeakMap<PromiseLock, Lock.Lock>()

const side = <Options, Refused>(
  zk: PromiseClient,
  { acquire, withLock }: ReadWriteLock.Side<Options, Refused>
): PromiseSide<Options> => ({
  withLock: (f, options, call) => zk.run(withLock(guardedCallback(zk, f), options), call),
  acquire: (options, call) => acquireReleasable(zk, acquire(options), call)
})
