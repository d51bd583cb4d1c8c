/**
 * A lock with one holder at a time, given in order of arrival.
 *
 * **Guarantees**
 *
 * - The guarded effect is interrupted before another client can own the lock. Ownership ends a margin before the servers
 *   could end the session (`ownershipMargin` of the client, by default a tenth of the session timeout), by this process's
 *   monotonic clock.
 * - A waiter that gives up, by a timeout, an interruption or an error, leaves no znode behind, so that no other waits for
 *   it.
 * - A waiter survives lost connections. With a new session it waits again, at the end of the queue.
 *
 * It does not guarantee that a process which is itself stopped for longer than the session timeout stops in time: nothing
 * runs in it. Such a process learns of the loss before its guarded effect takes another step, and the `fencingToken` and
 * `transaction` of what it held refuse its late writes. An ensemble whose `minSessionTimeout` is below two ticks needs a
 * larger `ownershipMargin`.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { LockLost, LockTimeout, RecipeError } from "./Errors.ts"
import type { Held, HoldOptions } from "./Held.ts"
import type { HeldLayer, LayerOptions as HeldLayerOptions } from "./HeldLayer.ts"
import * as ContenderQueue from "./internal/locks/ContenderQueue.ts"
import { guardReentrant } from "./internal/locks/guard.ts"
import * as HeldLayers from "./internal/locks/heldLayer.ts"
import { type Layout, lockKind } from "./internal/locks/nodeNames.ts"
import type { Ownership } from "./internal/locks/ownership.ts"
import {
  type AcquireOptions,
  checkedTimeout,
  checkOptions,
  knownAcquire,
  knownOptions
} from "./internal/shared/options.ts"

export type { Contender } from "./internal/locks/ContenderQueue.ts"
export type { Layout } from "./internal/locks/nodeNames.ts"
export type { AcquireOptions } from "./internal/shared/options.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends HoldOptions {
  /** Default `curator`. */
  readonly layout?: Layout | undefined
}

/**
 * Options of `layer` and `layerService`.
 *
 * @category options
 * @since 0.1.0
 */
export interface LayerOptions<E> extends Options, HeldLayerOptions<E> {}

/**
 * A lock at one path. Use `withLock` to run an effect under it, and `acquire` to hold it until a Scope closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lock {
  readonly path: string
  /**
   * Acquires the lock, runs the effect, and releases the lock. If the lock is lost meanwhile, the effect is interrupted,
   * and the call fails with `LockLost` once its finalizers have run.
   *
   * Re-entrant within a fiber tree: an effect that it guards, and the fibers that are forked there, hold the lock already.
   *
   * Fails with `LockTimeout` after `timeout`, and with `InvalidArgument` for options that are not valid.
   */
  readonly withLock: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((held: Held) => Effect.Effect<A, E, R>),
    options?: AcquireOptions
  ) => Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R>
  /**
   * Acquires the lock until the Scope closes. A loss interrupts nothing: race your work with `held.lost`. It is not
   * re-entrant: a holder that acquires the same lock again waits for itself.
   */
  readonly acquire: (options?: AcquireOptions) => Effect.Effect<Held, LockTimeout | RecipeError, Scope.Scope>
  /**
   * Asks the holder to give it up, or one contender of `contenders`: it hears it by `held.revocation`, and nothing
   * forces it. Curator's `Revoker` does the same. Gives how many were asked. The request replaces the `identifier` in
   * the contender's znode. Fails with `NoAuth` where the ACL does not let this client write there, and with
   * `InvalidArgument` for a path that is not a contender's.
   */
  readonly revoke: (contender?: Pick<ContenderQueue.Contender, "path">) => Effect.Effect<number, RecipeError>
  /** The holder and those who wait, in queue order. */
  readonly contenders: Effect.Effect<ReadonlyArray<ContenderQueue.Contender>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a lock at a path. Nothing is sent before it is used; the first use creates the path and its missing parents, as
 * containers. Fails with `InvalidArgument` for a path or options that are not valid.
 *
 * @example
 * ```ts
 * import { Lock } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const lock = yield* Lock.make("/locks/report")
 *   yield* lock.withLock(Effect.log("reporting"), { timeout: "10 seconds" })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<Lock, InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const turns = yield* makeTurns(path, options)
    const { queue } = turns
    const acquire = (options?: AcquireOptions): Effect.Effect<Ownership, LockTimeout | RecipeError, Scope.Scope> =>
      Effect.flatMap(checkedTimeout(knownAcquire, options), turns.acquire)
    return {
      path,
      withLock: (effect, options) => guardReentrant({ zk: queue.zk, path, kind: "lock" }, acquire(options), effect),
      acquire,
      revoke: (contender) => ContenderQueue.revoke(queue, ContenderQueue.firstContender, contender),
      contenders: ContenderQueue.contendersWithIdentifier(queue)
    }
  })

/**
 * Holds several locks at once, and runs the effect. It acquires them in the order of their paths, whatever the order of
 * the array, so that clients that want the same locks never wait for each other in a circle. This holds for the locks of
 * one client, and of clients with the same chroot. The effect is interrupted when one of the locks is lost; the call then
 * fails with `LockLost`. `timeout` applies to each lock.
 *
 * @example
 * ```ts
 * import { Lock } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const transfer = Effect.gen(function* () {
 *   const from = yield* Lock.make("/locks/accounts/1")
 *   const to = yield* Lock.make("/locks/accounts/2")
 *   yield* Lock.withLocks([from, to], Effect.log("transferring"), { timeout: "5 seconds" })
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const withLocks = <A, E, R>(
  locks: ReadonlyArray<Lock>,
  effect: Effect.Effect<A, E, R>,
  options?: AcquireOptions
): Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R> => {
  // Where the array has a lock twice, the second one is held already.
  const ordered = locks.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return ordered.reduceRight<Effect.Effect<A, E | LockLost | LockTimeout | RecipeError, R>>(
    (inner, lock) => lock.withLock(inner, options),
    effect
  )
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * Builds a Layer only while this process holds the lock, such as a consumer of which there should be one. It waits for the
 * lock as long as the application runs: it builds `inner` when it has the lock, tears it down before another process can
 * have it, and builds it anew when it has it again. `inner` may be a function of what is held, which has the fencing token.
 *
 * The Layer itself is built at once, without waiting, and provides nothing; use `layerService` to reach the services of
 * `inner`. All else is as with `LeaderElection.layer`.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { Lock } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const consumer = Layer.effectDiscard(
 *   Effect.acquireRelease(Effect.log("the consumer starts"), () => Effect.log("the consumer stops"))
 * )
 *
 * export const program = Lock.layer("/locks/consumer", consumer).pipe(
 *   Layer.provide(ZooKeeper.layer({ servers: "zk1:2181,zk2:2181,zk3:2181" })),
 *   Layer.launch
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <Services, E, R>(
  path: string,
  inner: Layer.Layer<Services, E, R> | ((held: Held) => Layer.Layer<Services, E, R>),
  options: LayerOptions<E> = {}
): Layer.Layer<never, InvalidArgument, R | ZooKeeper.ZooKeeper> =>
  Layer.effectDiscard(makeHeldLayer(path, inner, options))

/**
 * `layer`, and a service that tells whether this process holds the lock, and runs effects with the services of `inner`
 * while it does. The service is there all the time.
 *
 * @example
 * ```ts
 * import { type HeldLayer, Lock } from "@effect-zookeeper/recipes"
 * import * as Context from "effect/Context"
 * import type * as Layer from "effect/Layer"
 *
 * class Consumer extends Context.Service<Consumer, { readonly topic: string }>()("app/Consumer") {}
 * declare const consumerLayer: Layer.Layer<Consumer>
 *
 * class Consuming extends Context.Service<Consuming, HeldLayer.HeldLayer<Consumer>>()("app/Consuming") {}
 * export const consumingLayer = Lock.layerService(Consuming, "/locks/consumer", consumerLayer)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerService = <I, Services, E, R>(
  service: Context.Key<I, HeldLayer<Services, E>>,
  path: string,
  inner: Layer.Layer<Services, E, R> | ((held: Held) => Layer.Layer<Services, E, R>),
  options: LayerOptions<E> = {}
): Layer.Layer<I, InvalidArgument, R | ZooKeeper.ZooKeeper> =>
  Layer.effect(service, makeHeldLayer(path, inner, options))

// ---- internal

const makeTurns = Effect.fnUntraced(function* (path: string, options: Options) {
  const queue = yield* ContenderQueue.make(path, options, { lock: lockKind }, options.layout)
  const acquire = (timeout: number | undefined) =>
    ContenderQueue.acquire(queue, "lock", ContenderQueue.predecessor, timeout)
  return { queue, acquire }
})

const makeHeldLayer = <Services, E, R>(
  path: string,
  inner: HeldLayers.LayerWhileHeld<Services, E, R>,
  options: LayerOptions<E>
) => HeldLayers.makeFor(knownLayer, makeTurns(path, options), inner, options)

const known = knownOptions<Options>({ layout: true, ...ContenderQueue.holdKeys }, '{ identifier: "worker-1" }')

const knownLayer = knownOptions<LayerOptions<unknown>>({ ...known.keys, retry: true }, known.example)
