/**
 * Software transactions over several znodes: an effect that reads and writes znodes as if no other client did.
 *
 * The reads of a run belong to one state of the tree. Its writes are collected, and applied in one transaction of the server
 * that also checks everything that was read. If another client has written in between, nothing is applied, and the effect
 * runs again.
 *
 * **Guarantees**
 *
 * - Transactions that succeed are serializable: each is applied as a whole or not at all, and no other client has changed
 *   what it has read between its reads and its writes.
 * - A run never sees a part of another client's transaction, not even a run that is to be repeated.
 * - A transaction is applied once, also where a reply is lost. Only when the session ends before its fate is known, it fails
 *   with `OutcomeUnknown`.
 *
 * ZooKeeper compares versions alone, which begin anew when a znode is deleted and created again. Transactions at one path
 * notice deletions by each other all the same; use one path for all that work on the same znodes. A znode that others delete
 * and create again, outside of such transactions, until it has the version that was read, is not noticed.
 *
 * It has no way to check a list of children, so it reads none. All znodes of a transaction count for the limit of one
 * request. It is meant for a few znodes; each read looks again at those that were read before.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type AclOptions, checkOptions, knownOptions } from "./internal/shared/options.ts"
import { checkCount, checkPath } from "./internal/shared/validate.ts"
import { atomically } from "./internal/stm/atomically.ts"
import * as ExactlyOnce from "./internal/values/exactlyOnce.ts"
import type { CommitError, Transaction } from "./internal/stm/model.ts"

export type { CommitError, CreateOptions, Transaction } from "./internal/stm/model.ts"

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
  /** After so many runs in which others wrote in between it fails with `Contended`. Default: it goes on. */
  readonly attempts?: number | undefined
}

/**
 * Transactions with their helpers at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stm {
  readonly path: string
  /**
   * Runs the effect, applies what it has written, and gives its result. The effect may run many times: it should do nothing
   * but read and write through its argument. When others have written in between, it is interrupted at its next read, and
   * runs again after a pause with jitter.
   *
   * Fails with the effect's own errors, for which nothing is applied, and with `CommitError`.
   */
  readonly atomically: <A, E, R>(
    f: (transaction: Transaction) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | CommitError, R>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes transactions whose helpers are at a path: `deletions`, whose version counts the transactions that deleted something,
 * and short-lived znodes that tell the fate of a transaction. The znodes that they read and write are anywhere. Nothing is
 * sent before the first one. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Stm } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * const balanceOf = (data: Option.Option<Uint8Array>) => Number(new TextDecoder().decode(Option.getOrThrow(data)))
 *
 * export const transfer = Effect.gen(function* () {
 *   const stm = yield* Stm.make("/stm/accounts")
 *   yield* stm.atomically((tx) =>
 *     Effect.gen(function* () {
 *       const from = balanceOf(yield* tx.get("/accounts/a"))
 *       const to = balanceOf(yield* tx.get("/accounts/b"))
 *       // Waits until somebody has paid in.
 *       if (from < 10) return yield* tx.retry
 *       yield* tx.set("/accounts/a", String(from - 10))
 *       yield* tx.set("/accounts/b", String(to + 10))
 *     })
 *   )
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Stm, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    const { acl } = options
    const attempts = yield* checkCount("attempts", options.attempts)
    const exactlyOnce = yield* ExactlyOnce.make(zk, ZnodePath.join(path, "markers"), acl)
    const source = { zk, path, deletions: ZnodePath.join(path, "deletions"), acl, attempts, exactlyOnce }
    return { path, atomically: (f) => atomically(source, f) }
  })

// ---- internal

const known = knownOptions<Options>({ acl: true, attempts: true }, "{ attempts: 10 }")
