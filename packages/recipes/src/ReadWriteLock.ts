/**
 * A lock that many hold for reading, or one for writing, given in order of arrival.
 *
 * **Guarantees**
 *
 * - Everything that `Lock` guarantees, for each of the two sides.
 * - Fairness: a reader waits for the writers before it, a writer for all before it. Readers that come after a waiting
 *   writer wait for it.
 * - A writer can become a reader without a gap (`ReadOptions.downgrade`): no other writer comes between.
 * - A reader that asks for the write lock fails at once with `UpgradeRefused`, instead of waiting for itself.
 *
 * Anything that `Lock` does not guarantee is not guaranteed here either. A caller that reads by `acquire` and then asks
 * for the write lock is not recognised, and waits for itself until the timeout.
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { LockLost, type LockTimeout, type RecipeError, UpgradeRefused } from "./Errors.ts"
import type { Held } from "./Held.ts"
import { toBytes } from "./internal/shared/dataCodec.ts"
import { checkPath } from "./internal/shared/validate.ts"
import type { Ownership, OnDisconnect } from "./internal/locks/ownership.ts"
import { parseContenders, readKind, writeKind } from "./internal/locks/nodeNames.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { retryTransient } from "./internal/shared/retry.ts"
import { heldByFiber, guardReentrant } from "./internal/locks/guard.ts"
import type { AcquireOptions } from "./Lock.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
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
 * How the read side is acquired.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadOptions extends AcquireOptions {
  /**
   * The write lock to downgrade, which is to be released afterwards: the read lock is acquired at once, and no other
   * writer comes between. Fails with `LockLost` if the write lock is no longer held. Within an effect that
   * `write.withLock` guards it is found by itself. Default: none.
   */
  readonly downgrade?: Pick<Held, "path"> | undefined
}

/**
 * A client that holds the lock or waits for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contender {
  readonly kind: "read" | "write"
  readonly path: string
  /** Its option `identifier`. */
  readonly identifier: Uint8Array
}

/**
 * One side of the lock, `read` or `write`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Side<Options, Refused> {
  /**
   * Acquires this side, runs the effect, and releases it. If it is lost meanwhile, the effect is interrupted, and the call
   * fails with `LockLost` once its finalizers have run. Re-entrant within a fiber tree, as `Lock.withLock` is.
   */
  readonly withLock: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>),
    options?: Options
  ) => Effect.Effect<A, E | LockLost | LockTimeout | Refused | RecipeError, R>
  /**
   * Acquires this side until the Scope closes. A loss interrupts nothing: race your work with `held.lost`. Not re-entrant.
   */
  readonly acquire: (options?: Options) => Effect.Effect<Held, LockTimeout | Refused | RecipeError, Scope.Scope>
}

/**
 * A read-write lock at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadWriteLock {
  readonly path: string
  /**
   * Held by any number at once, while no client writes. It also fails with `LockLost` when the write lock to be downgraded
   * is gone.
   */
  readonly read: Side<ReadOptions, LockLost>
  /**
   * Held by one, while no client reads. It fails with `UpgradeRefused` where this fiber tree holds the lock for reading.
   */
  readonly write: Side<AcquireOptions, UpgradeRefused>
  /** The holders and those who wait, in queue order. */
  readonly contenders: Effect.Effect<ReadonlyArray<Contender>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a read-write lock at a path. Nothing is sent before it is used; the first use creates the path and its missing
 * parents, as containers. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { ReadWriteLock } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const lock = yield* ReadWriteLock.make("/locks/catalogue")
 *   yield* lock.read.withLock(Effect.log("looking up"))
 *   yield* lock.write.withLock(Effect.log("replacing"), { timeout: "10 seconds" })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<ReadWriteLock, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.readWriteLock, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const queue: ContenderQueue.ContenderQueue = {
      zk,
      path,
      layout: "curator",
      kinds,
      data: toBytes(options.identifier ?? ""),
      acl: options.acl,
      onDisconnect: options.onDisconnect ?? "continue"
    }
    const reader = { zk, path, kind: "read" }
    const writer = { zk, path, kind: "write" }
    const read = Effect.fnUntraced(function* (options?: ReadOptions) {
      const timeout = yield* Known.checkedTimeout(Known.read, options)
      const write = options?.downgrade ?? (yield* heldByFiber(writer))
      return yield* write === undefined
        ? ContenderQueue.acquire(queue, "read", precedingWriter, timeout)
        : downgrade(queue, write.path, timeout)
    })
    const write = Effect.fnUntraced(function* (options?: AcquireOptions) {
      const timeout = yield* Known.checkedTimeout(Known.acquire, options)
      if ((yield* heldByFiber(reader)) !== undefined) return yield* new UpgradeRefused({ path })
      return yield* ContenderQueue.acquire(queue, "write", ContenderQueue.predecessor, timeout)
    })
    return {
      path,
      read: {
        withLock: (effect, options) => guardReentrant(reader, read(options), effect),
        acquire: read
      },
      write: {
        withLock: (effect, options) => guardReentrant(writer, write(options), effect),
        acquire: write
      },
      contenders: Effect.map(ContenderQueue.contendersWithIdentifier(queue), (all) =>
        all.map((contender) => ({
          ...contender,
          kind: parseContenders([ZnodePath.name(contender.path)], { write: writeKind }).length === 1 ? "write" : "read"
        }))
      )
    }
  })

// ---- internal

const kinds = { read: readKind, write: writeKind }

/** A reader waits for the nearest writer before it, and that writer for all before it. */
const precedingWriter: ContenderQueue.Blocker = (contenders, index) =>
  contenders.findLast(({ kind }, at) => at < index && kind === "write")

/**
 * Reads from the write lock's own position in the queue: all who came since are behind it. The reader takes the number of
 * the writer, as in recent versions of Curator.
 */
const downgrade = (
  queue: ContenderQueue.ContenderQueue,
  write: string,
  timeout: number | undefined
): Effect.Effect<Ownership, LockLost | LockTimeout | RecipeError, Scope.Scope> =>
  Effect.gen(function* () {
    const [position] = parseContenders([ZnodePath.name(write)], { write: writeKind })
    if (position === undefined || ZnodePath.parent(write) !== queue.path) {
      const rule = `it has to be a write lock of ${queue.path}`
      return yield* new InvalidArgument({ argument: "downgrade", value: write, rule })
    }
    if (ContenderQueue.isCounterExhausted(position.sequence)) {
      const rule = `the numbers of ${queue.path} are used up: delete it while it is not held, and they begin anew`
      return yield* new InvalidArgument({ argument: "downgrade", value: write, rule })
    }
    const own = yield* Scope.fork(yield* Effect.scope)
    return yield* ContenderQueue.acquire(queue, "read", noBlocker, timeout, position.sequence).pipe(
      Effect.provideService(Scope.Scope, own),
      // While the writer's znode is there, no other writer can have come between.
      Effect.tap(() => checkStillHeld(queue, write)),
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
    )
  })

const noBlocker: ContenderQueue.Blocker = () => undefined

const checkStillHeld = (
  { zk }: ContenderQueue.ContenderQueue,
  write: string
): Effect.Effect<void, LockLost | RecipeError> =>
  Effect.flatMap(
    Effect.catchTag(retryTransient(zk.stat(write)), "SessionExpired", () => Effect.succeedNone),
    (stat) =>
      Option.isSome(stat) && stat.value.ephemeralOwner === zk.session.id
        ? Effect.void
        : Effect.fail(new LockLost({ path: write, reason: Option.isSome(stat) ? "session" : "deleted" }))
  )
