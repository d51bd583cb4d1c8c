/**
 * A lock that one holds at a time, in the order of arrival.
 *
 * ```ts
 * const lock = yield* Lock.make("/locks/report")
 * yield* lock.withLock(writeReport, { timeout: "10 seconds" })
 * ```
 *
 * **Guarantees**
 *
 * - What is guarded is interrupted before another can own the lock: ownership ends a margin (`ownershipMargin` of the
 *   client, a tenth of the session timeout) before the servers could give the session up, told by a clock of our own.
 * - Whoever gives up, by a timeout, an interruption or an error, leaves no znode behind: no other waits for it.
 * - Who waits survives lost connections, and stands again at the end of the queue with a new session.
 *
 * It does not guarantee that a process which is itself stopped for longer than the session stops in time: nothing runs in
 * it. It is told before it takes another guarded step, and `fencingToken` and `transaction` of what is held refuse its late
 * writes. An ensemble whose `minSessionTimeout` is below two ticks needs a larger `ownershipMargin`.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LockLost, LockTimeout, RecipeError } from "./Errors.ts"
import type { Held } from "./Held.ts"
import { toBytes } from "./internal/shared/dataCodec.ts"
import { checkPath } from "./internal/shared/validate.ts"
import type { Ownership, OnDisconnect } from "./internal/locks/ownership.ts"
import { lockKind } from "./internal/locks/nodeNames.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { type OwnershipKey, guardReentrant } from "./internal/locks/guard.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * How the znodes of contenders are named. All are understood whatever is chosen: contenders of several clients can share a
 * path as far as each of these understands the others.
 *
 * - `curator`: `_c_<uuid>-lock-0000000007`, of Apache Curator; the default.
 * - `go`: `_c_<32 hex>-lock-0000000007`, of go-zookeeper.
 * - `kazoo`: `<32 hex>__lock__0000000007`, of kazoo.
 * - `aiozk`: `lock-<32 hex>-0000000007`, of aiozk.
 *
 * @category models
 * @since 0.1.0
 */
export type Layout = "curator" | "go" | "kazoo" | "aiozk"

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
  /** Written into the znodes that contend, for others to see who they are. Default: nothing. */
  readonly identifier?: Data | undefined
  /** The ACL of all that is created, parents included. Default: the client's `defaultAcl`. */
  readonly acl?: ReadonlyArray<Acl.Acl> | undefined
  /**
   * What a lost connection means for the holder. `continue`, the default: nothing until the session is in doubt. `stop`:
   * the lock is lost at once.
   */
  readonly onDisconnect?: OnDisconnect | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface AcquireOptions {
  /**
   * How long to wait, after which it fails with `LockTimeout`; with 0 it tries once, which takes a session timeout at
   * most. Default: for ever. Numbers are milliseconds.
   */
  readonly timeout?: Duration.Input | undefined
}

/**
 * One who holds the lock or waits for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contender {
  readonly path: string
  /** What it wrote as `identifier`. */
  readonly identifier: Uint8Array
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Lock {
  readonly path: string
  /**
   * Acquires the lock, runs the effect, and releases the lock. When the lock is lost meanwhile the effect is interrupted, and
   * `LockLost` reported once its finalizers have run.
   *
   * Re-entrant within a fiber tree: inside of an effect that it guards, and in the fibers that are forked there, it is
   * held already.
   */
  readonly withLock: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R>
  /**
   * Acquires the lock until the Scope closes. Nothing is interrupted by a loss: race what you do with `held.lost`. Not
   * re-entrant: within one's own it waits for ever.
   */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<Held, LockTimeout | RecipeError, Scope.Scope>
  /** Its holder and who waits for it, in queue order. */
  readonly contenders: Effect.Effect<ReadonlyArray<Contender>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A lock at a path. Nothing is sent before it is used; the path and its parents are created then, as containers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Lock, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.lock, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const queue: ContenderQueue.ContenderQueue = {
      zk,
      path,
      layout: options.layout ?? "curator",
      kinds: { lock: lockKind },
      data: toBytes(options.identifier ?? ""),
      acl: options.acl,
      onDisconnect: options.onDisconnect ?? "continue"
    }
    const acquire = (options?: AcquireOptions): Effect.Effect<Ownership, LockTimeout | RecipeError, Scope.Scope> =>
      Effect.flatMap(Known.checkedTimeout(Known.acquire, options), (timeout) =>
        ContenderQueue.acquire(queue, "lock", ContenderQueue.predecessor, timeout)
      )
    const key: OwnershipKey = { zk, path, kind: "lock" }
    return {
      path,
      withLock: (effect, options) => guardReentrant(key, acquire(options), effect),
      acquire,
      contenders: ContenderQueue.contendersWithIdentifier(queue)
    }
  })

/**
 * Holds several locks at once. They are acquired in the order of their paths, whatever the order of the array, so that
 * those who want the same ones never wait for each other in a circle: locks of one client, or of clients with one chroot.
 * The effect is interrupted when one of them is lost. `timeout` holds for each.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withLocks = <A, E, R>(
  locks: ReadonlyArray<Lock>,
  effect: Effect.Effect<A, E, R>,
  options?: AcquireOptions
): Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R> => {
  // The same lock twice is held already the second time.
  const ordered = locks.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return ordered.reduceRight<Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R>>(
    (inner, lock) => lock.withLock(inner, options),
    effect
  )
}
