/**
 * The recipes as Promises.
 *
 * Each recipe is the one that its own module documents, with Promises for Effects, AsyncIterables for Streams and `A |
 * undefined` for `Option<A>`. Promises reject with the same errors. The differences:
 *
 * - A recipe that does nothing before it is used is returned at once, and throws `InvalidArgument` for a bad path. A
 *   recipe that starts something (a cache, a persistent node) is awaited.
 * - A guarded effect is a callback. It gets a `signal` that is aborted when the hold is lost, or the call is aborted. A
 *   callback that ignores its signal cannot be stopped: the call waits until it has settled, and then rejects with
 *   `LockLost`.
 * - Acquired things are given back by `release()`, by `await using`, or by closing the client.
 *
 * @since 0.1.0
 */
import type { CallOptions, Promised } from "@effect-zookeeper/client/PromiseAdapter"
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import * as ChildrenCache from "./ChildrenCache.ts"
import { acquireReleasable, makeSync, promisify } from "./internal/promise/adapt.ts"
import { type GroupRecipes, groupRecipes } from "./internal/promise/groups.ts"
import { type Acquired, type LockRecipes, lockRecipes } from "./internal/promise/locks.ts"
import { type QueueRecipes, queueRecipes } from "./internal/promise/queues.ts"
import { type ValueRecipes, valueRecipes } from "./internal/promise/values.ts"
import * as NodeCache from "./NodeCache.ts"
import * as ServiceDiscovery from "./ServiceDiscovery.ts"
import * as TreeCache from "./TreeCache.ts"

export type {
  PromiseAllocator,
  PromiseBarrier,
  PromiseDoubleBarrier,
  PromiseParty,
  PromisePersistentNode
} from "./internal/promise/groups.ts"
export type {
  Acquired,
  Callback,
  PromiseHeld,
  PromiseHeldLease,
  PromiseLeaderElection,
  PromiseLease,
  PromiseLock,
  PromisePermits,
  PromiseReadWriteLock,
  PromiseSemaphore,
  PromiseSide,
  PromiseHeldWorkerId,
  PromiseWorkerIds
} from "./internal/promise/locks.ts"
export type {
  Handler,
  PromiseConsumer,
  PromisePriorityQueue,
  PromiseQueue,
  PromiseTaken
} from "./internal/promise/queues.ts"
export type {
  PromiseAtomicValue,
  PromiseCounter,
  PromiseIdGenerator,
  PromiseSnowflake,
  PromiseStm,
  PromiseTransaction
} from "./internal/promise/values.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * See `ChildrenCache`, of which this is the Promise form. Synchronous where the cache is, such as `get`.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseChildrenCache = Promised<ChildrenCache.ChildrenCache>

/**
 * See `NodeCache`, of which this is the Promise form. Synchronous where the cache is, such as `get`.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseNodeCache = Promised<NodeCache.NodeCache>

/**
 * See `ServiceDiscovery`, of which this is the Promise form.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseServiceDiscovery<A> extends Omit<
  Promised<ServiceDiscovery.ServiceDiscovery<A>>,
  "register" | "provider"
> {
  /** Registers an instance until it is released; see `ServiceDiscovery.register`. */
  readonly register: (
    instance: ServiceDiscovery.Registrant<A>,
    call?: CallOptions
  ) => Promise<Acquired<Promised<ServiceDiscovery.Registration<A>>>>
  /** Follows a service until it is released, to pick instances without a request. */
  readonly provider: (
    name: string,
    options?: ServiceDiscovery.ProviderOptions<A>,
    call?: CallOptions
  ) => Promise<Acquired<Promised<ServiceDiscovery.Provider<A>>>>
}

/**
 * The state of a tree cache at one moment; see `Snapshot`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseSnapshot
  extends Promised<Omit<TreeCache.Snapshot, "entries">>, Pick<TreeCache.Snapshot, "entries"> {}

/**
 * See `TreeCache`, of which this is the Promise form. Synchronous where the cache is, such as `get`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseTreeCache extends Promised<Omit<TreeCache.TreeCache, "snapshot">> {
  /** The current state. */
  readonly snapshot: PromiseSnapshot
}

/**
 * All recipes on one client; see `recipes`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recipes extends GroupRecipes, LockRecipes, QueueRecipes, ValueRecipes {
  /** Caches the children of a znode until it is released; see `ChildrenCache.make`. */
  readonly childrenCache: (
    path: string,
    options?: ChildrenCache.Options,
    call?: CallOptions
  ) => Promise<Acquired<PromiseChildrenCache>>
  /** Caches a znode until it is released; see `NodeCache.make`. */
  readonly nodeCache: (
    path: string,
    options?: NodeCache.Options,
    call?: CallOptions
  ) => Promise<Acquired<PromiseNodeCache>>
  /** See `ServiceDiscovery.make`. */
  readonly serviceDiscovery: <A, I>(
    basePath: string,
    options: ServiceDiscovery.Options<A, I>
  ) => PromiseServiceDiscovery<A>
  /** Caches a sub-tree until it is released; see `TreeCache.make`. */
  readonly treeCache: (
    path: string,
    options?: TreeCache.Options,
    call?: CallOptions
  ) => Promise<Acquired<PromiseTreeCache>>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Gives the recipes on a client. It sends nothing.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 * import { recipes } from "@effect-zookeeper/recipes/Promise"
 *
 * await using zk = await PromiseClient.connect("zk1:2181,zk2:2181,zk3:2181")
 * const lock = recipes(zk).lock("/locks/report")
 * await lock.withLock(
 *   async ({ fencingToken, signal }) => {
 *     // Aborted when the lock is lost: pass it on to all that you call.
 *     signal.throwIfAborted()
 *     console.log("reporting", fencingToken)
 *   },
 *   { timeout: "10 seconds" }
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const recipes = (zk: PromiseClient): Recipes => ({
  ...groupRecipes(zk),
  ...lockRecipes(zk),
  ...queueRecipes(zk),
  ...valueRecipes(zk),
  childrenCache: (path, options, call) => acquireReleasable(zk, ChildrenCache.make(path, options), call),
  nodeCache: (path, options, call) => acquireReleasable(zk, NodeCache.make(path, options), call),
  serviceDiscovery: (basePath, options) => {
    const discovery = makeSync(zk, ServiceDiscovery.make(basePath, options))
    return {
      ...promisify(zk, discovery),
      register: (instance, call) => acquireReleasable(zk, discovery.register(instance), call),
      provider: (name, options, call) => acquireReleasable(zk, discovery.provider(name, options), call)
    }
  },
  treeCache: (path, options, call) => acquireReleasable(zk, TreeCache.make(path, options), call)
})
