/**
 * A copy of a sub-tree that follows the server: reading it sends no request.
 *
 * **Guarantees**
 *
 * - Once nothing changes any more it equals the server's state, whatever happened to connections and sessions meanwhile.
 * - It never goes back to an older state. A znode counts as changed when another transaction created it or wrote its data,
 *   so that it misses nothing that happened in an outage.
 * - A snapshot is immutable, and costs nothing to take.
 * - Replaying `changes` from its beginning gives the state of the cache. A reconnection without a change emits no change.
 * - A missing root is no error: the cache is empty, and waits for the root.
 * - After the Scope has closed it emits nothing, and the server has none of its watches left.
 *
 * It does not guarantee to be up to date: it lags behind the server by at least the way of a message, and by an outage
 * while `freshness` is not `live`. For a decision that must not rely on old data, write at the version that was read, or
 * use `readThrough`. Nor is a snapshot one moment of the tree: each of its znodes had that state at some moment, and
 * others may be newer.
 *
 * It needs one watch at the server since ZooKeeper 3.6; older servers keep up to two for each znode.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { CacheEvent, Freshness } from "./CacheEvent.ts"
import type { RecipeError } from "./Errors.ts"
import type { Branch } from "./internal/caches/Branch.ts"
import * as TreeSnapshot from "./internal/caches/TreeSnapshot.ts"
import * as RunCache from "./internal/caches/runCache.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends RunCache.Options {
  /**
   * How many levels to cache below the root; 0 for the root alone. Before ZooKeeper 3.6 the Stats of the last level do not
   * follow the number of their children. Default: all.
   */
  readonly maxDepth?: number | undefined
  /** Which paths below the root to cache. Leaving out a path leaves out everything below it. Default: all. */
  readonly filter?: ((path: string) => boolean) | undefined
  /** Whether to keep data, or only Stats, with empty data. Default true. */
  readonly data?: boolean | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The state of the cache at one moment. It is immutable.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  /** The number of znodes. */
  readonly size: number
  /** Data and Stat of a path at or below the root, if it exists. */
  readonly get: (path: string) => Option.Option<DataAndStat>
  /** The children of a path by their names; empty where there is no znode. */
  readonly children: (path: string) => ReadonlyMap<string, DataAndStat>
  /** All paths with data and Stat, parents first. */
  readonly entries: () => IterableIterator<[path: string, znode: DataAndStat]>
}

/**
 * A cache of a sub-tree. Everything but `readThrough` answers from memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface TreeCache extends Omit<Snapshot, "entries"> {
  readonly path: string
  /** The current state. */
  readonly snapshot: Snapshot
  readonly freshness: Freshness
  /**
   * The changes that lead from an empty cache to its state, then `Freshness`, then `Synced` once everything has been read;
   * then each change. `Stream.dropUntil((event) => event._tag === "Synced")` skips the initial state. A consumer that is
   * more than 8,192 batches of changes behind gets their sum instead. Fails when the session has ended for good.
   */
  readonly changes: Stream.Stream<CacheEvent, RecipeError>
  /** Reads from the server, for decisions that need the current state. The cache takes in the reply too. */
  readonly readThrough: (path: string) => Effect.Effect<Option.Option<DataAndStat>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Caches a sub-tree until the Scope closes. Returns when all of it has been read, unless `wait` is false; then it fails
 * with `NoAuth` if the root may not be read.
 *
 * @example
 * ```ts
 * import { TreeCache } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const program = Effect.gen(function* () {
 *   const config = yield* TreeCache.make("/config")
 *   yield* Effect.log(config.get("/config/mail/theme"))
 *   yield* Stream.runForEach(config.changes, (event) => Effect.log(event._tag))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<TreeCache, RecipeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    const range = {
      root: path,
      maxDepth: options.maxDepth ?? Number.POSITIVE_INFINITY,
      keepsData: () => options.data !== false,
      filter: options.filter
    }
    const cache = yield* RunCache.make(zk, range, options)
    return {
      path,
      get size() {
        return cache.tree.size
      },
      get snapshot() {
        return snapshot(path, cache.tree)
      },
      get freshness() {
        return cache.freshness
      },
      get: (at) => snapshot(path, cache.tree).get(at),
      children: (at) => snapshot(path, cache.tree).children(at),
      changes: cache.broadcaster.stream,
      readThrough: (at) => RunCache.readThrough(zk, cache, at)
    }
  })

// ---- internal

const known = knownOptions<Options>(
  { concurrency: true, maxNodes: true, jitter: true, wait: true, maxDepth: true, filter: true, data: true },
  "{ data: false }"
)

const snapshot = (root: string, tree: TreeSnapshot.TreeSnapshot): Snapshot => {
  const find = (path: string): Branch | undefined => {
    const names = TreeSnapshot.relativeNames(root, path)
    return names === undefined ? undefined : TreeSnapshot.find(tree, names)
  }
  return {
    size: tree.size,
    get: (path) => Option.map(Option.fromUndefinedOr(find(path)), ({ znode }) => znode),
    children: (path) => TreeSnapshot.childrenOf(find(path)),
    entries: () => TreeSnapshot.entries(root, tree.root)
  }
}
