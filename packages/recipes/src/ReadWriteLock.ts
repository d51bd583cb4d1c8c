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
import { acquireForked } from "@effect-zookeeper/client/Detached"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { LockLost, type LockTimeout, type RecipeError, UpgradeRefused } from "./Errors.ts"
import type { Held, HoldOptions } from "./Held.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { heldByFiber, guardReentrant } from "./internal/locks/guard.ts"
import { parseContenders, readKind, writeKind } from "./internal/locks/nodeNames.ts"
import type { Ownership } from "./internal/locks/ownership.ts"
import {
  type AcquireOptions,
  checkedTimeout,
  checkOptions,
  knownAcquire,
  knownOptions
} from "./internal/shared/options.ts"
import { retryTransient } from "./internal/shared/retry.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export type Options = HoldOptions

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
export interface Contender extends ContenderQueue.Contender {
  readonly kind: "read" | "write"
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
  /**
   * Asks the writer or the readers that hold it to give it up, or one contender of `contenders`: it hears it by
   * `held.revocation`, and nothing forces it. Curator's `Revoker` does the same. Gives how many were asked. The
   * request replaces the `identifier` in the contender's znode. Fails with `NoAuth` where the ACL does not let this
   * client write there, and with `InvalidArgument` for a path that is not a contender's.
   */
  readonly revoke: (contender?: Pick<Contender, "path">) => Effect.Effect<number, RecipeError>
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
    yield* checkOptions(known, options)
    const queue = yield* ContenderQueue.make(path, options, kinds)
    const { zk } = queue
    const reader = { zk, path, kind: "read" }
    const writer = { zk, path, kind: "write" }
    const read = Effect.fnUntraced(function* (options?: ReadOptions) {
      const timeout = yield* checkedTimeout(knownRead, options)
      const write = options?.downgrade ?? (yield* heldByFiber(writer))
      return yield* write === undefined
        ? ContenderQueue.acquire(queue, "read", precedingWriter, timeout)
        : downgrade(queue, write.path, timeout)
    })
    const write = Effect.fnUntraced(function* (options?: AcquireOptions) {
      const timeout = yield* checkedTimeout(knownAcquire, options)
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
      revoke: (contender) => ContenderQueue.revoke(queue, currentHolders, contender),
      contenders: Effect.map(ContenderQueue.contendersWithIdentifier(queue), (all) =>
        all.map((contender) => ({
          ...contender,
          kind: isWriter(contender) ? "write" : "read"
        }))
      )
    }
  })

// ---- internal

const known = knownOptions<Options>(ContenderQueue.holdKeys, '{ identifier: "worker-1" }')

const knownRead = knownOptions<ReadOptions>({ timeout: true, downgrade: true }, '{ timeout: "5 seconds" }')

const kinds = { read: readKind, write: writeKind }

/** The writer at the head of the queue, or the readers there. */
const currentHolders = (all: ReadonlyArray<ContenderQueue.Contender>): ReadonlyArray<ContenderQueue.Contender> => {
  const firstWriter = all.findIndex(isWriter)
  return firstWriter === -1 ? all : all.slice(0, Math.max(1, firstWriter))
}

const isWriter = ({ path }: ContenderQueue.Contender): boolean =>
  parseContenders([ZnodePath.name(path)], { write: writeKind }).length === 1

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
    const reading = ContenderQueue.acquire(queue, "read", noBlocker, timeout, position.sequence)
    return yield* acquireForked((restore) =>
      // While the writer's znode is there, no other writer can have come between.
      restore(Effect.tap(reading, () => checkStillHeld(queue, write)))
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
