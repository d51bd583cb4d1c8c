/**
 * A barrier that holds up all clients that come to it, until it is lifted.
 *
 * **Guarantees**
 *
 * - When `create` has returned, a client that comes to the barrier waits. When the barrier is lifted, all waiting clients
 *   go on. That includes those that were without a connection or lost their session meanwhile, even if a new barrier is up
 *   by then.
 * - `lift` lifts the barrier that it finds, and no later one, whatever replies are lost.
 *
 * It does not guarantee that the barrier is ever lifted: it is a persistent znode, which outlives its creator.
 *
 * @since 0.1.0
 */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import type { InvalidArgument, NotEmpty } from "@effect-zookeeper/client/Errors"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { type RecipeError, WaitTimeout } from "./Errors.ts"
import { untilDefined } from "./internal/shared/backoff.ts"
import { toBytes } from "./internal/shared/bytes.ts"
import { makeDeadline } from "./internal/shared/clock.ts"
import { type AclOptions, checkedTimeout, checkOptions, knownAcquire, knownOptions } from "./internal/shared/options.ts"
import { deleteByCzxid } from "./internal/shared/deleteByCzxid.ts"
import { ensureParents } from "./internal/shared/requests.ts"
import { retryAcrossSessions } from "./internal/shared/retry.ts"
import { checkPath } from "./internal/shared/validate.ts"

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
  /** Written into the znode, to tell others the reason. Default: nothing. */
  readonly data?: Data | undefined
}

/**
 * How `wait` waits.
 *
 * @category options
 * @since 0.1.0
 */
export interface WaitOptions {
  /**
   * How long to wait before it fails with `WaitTimeout`. With 0 it looks once, which takes a session timeout at most.
   * Numbers are milliseconds. Default: forever.
   */
  readonly timeout?: Duration.Input | undefined
}

/**
 * The barrier at one path.
 *
 * @category models
 * @since 0.1.0
 */
export interface Barrier {
  readonly path: string
  /** Puts the barrier up, with missing parents. Succeeds if it is up already. */
  readonly create: Effect.Effect<void, RecipeError>
  /** Lifts the barrier. Succeeds if there is none. Fails with `NotEmpty` when there are znodes below it. */
  readonly lift: Effect.Effect<void, RecipeError | NotEmpty>
  /** Returns at once if there is no barrier, and otherwise when the present one has been lifted. */
  readonly wait: (options?: WaitOptions) => Effect.Effect<void, WaitTimeout | RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes the barrier at a path. Nothing is sent before it is used. Fails with `InvalidArgument` for a path or options that
 * are not valid.
 *
 * @example
 * ```ts
 * import { Barrier } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const migrate = Effect.gen(function* () {
 *   const barrier = yield* Barrier.make("/barriers/migration")
 *   yield* barrier.create
 *   yield* Effect.ensuring(Effect.log("migrating"), Effect.ignore(barrier.lift))
 * }).pipe(Effect.scoped)
 *
 * export const worker = Effect.gen(function* () {
 *   const barrier = yield* Barrier.make("/barriers/migration")
 *   yield* barrier.wait({ timeout: "1 minute" })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Barrier, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    yield* checkPath(path)
    return {
      path,
      create: create(zk, path, { acl: options.acl, data: toBytes(options.data ?? "") }),
      lift: lift(zk, path),
      wait: (options) => Effect.flatMap(checkedTimeout(knownAcquire, options), (timeout) => wait(zk, path, timeout))
    }
  })

// ---- internal

const known = knownOptions<Options>({ data: true, acl: true }, '{ data: "why" }')

const create = (zk: ZooKeeper.Service, path: string, { acl, data }: Options): Effect.Effect<void, RecipeError> =>
  untilDefined(
    retryAcrossSessions(zk, zk.create(path, { data, acl })).pipe(
      Effect.catchTag("NodeExists", () => Effect.succeed(path)),
      Effect.catchTag("NoNode", () => Effect.as(ensureParents(zk, ZnodePath.parent(path) ?? "/", acl), undefined))
    )
  ).pipe(Effect.asVoid)

/** Deletes the present znode and no later one, which a blind repetition could delete. */
const lift = (zk: ZooKeeper.Service, path: string): Effect.Effect<void, RecipeError | NotEmpty> =>
  Effect.suspend(() =>
    retryAcrossSessions(
      zk,
      deleteByCzxid(zk, path, () => true)
    )
  )

const wait = (
  zk: ZooKeeper.Service,
  path: string,
  timeout: number | undefined
): Effect.Effect<void, WaitTimeout | RecipeError> => {
  const late = () => new WaitTimeout({ path, operation: "wait", timeout: timeout ?? 0 })
  const look = Effect.filterOrFail(retryAcrossSessions(zk, zk.exists(path)), (there) => !there, late)
  const lifted: Effect.Effect<unknown, WaitTimeout | RecipeError> = timeout === 0 ? look : awaitLifted(zk, path)
  return Effect.flatMap(makeDeadline(timeout === 0 ? zk.session.timeout : timeout), (until) =>
    Effect.asVoid(until(lifted, late))
  )
}

/** Waits until the present barrier has gone; a later one does not concern this waiter. */
const awaitLifted = (zk: ZooKeeper.Service, path: string): Effect.Effect<void, RecipeError> =>
  Effect.suspend(() => {
    let first: bigint | undefined
    const attempt = Effect.gen(function* () {
      while (true) {
        const { nextChange, stat } = yield* watchScoped(zk.getAndWatch(path))
        if (first !== undefined && stat.czxid !== first) return
        first = stat.czxid
        const { type } = yield* Fiber.join(nextChange)
        if (type === "NodeDeleted") return
      }
    })
    return Effect.catchTag(retryAcrossSessions(zk, Effect.scoped(attempt)), "NoNode", () => Effect.void)
  })
