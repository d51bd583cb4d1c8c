/**
 * A copy of a sub-tree that follows the server: read at once, without asking anybody.
 *
 * ```ts
 * const config = yield* TreeCache.make("/config")
 * const theme = config.get("/config/mail/theme")
 * yield* config.changes.pipe(Stream.runForEach((event) => Effect.log(event._tag)))
 * ```
 *
 * **Guarantees**
 *
 * - Once nothing changes any more it is what the server has, whatever happened to connections and sessions meanwhile.
 * - It never goes back: what was read before is not replaced by what is older. A znode counts as changed when the
 *   transaction that created it or wrote its data is another, so that nothing is missed that happened in an outage.
 * - A snapshot is one picture that never changes, and costs nothing to take.
 * - Replaying `changes` from its beginning gives what it holds. Reconnections without a change tell no change.
 * - A root that does not exist is no error: the cache is empty, and waits for it.
 * - When the Scope has closed nothing is told any more, and the server has no watch of it left.
 *
 * It does not guarantee to be up to date: it lags behind the server by at least the way of a message, and by an outage while
 * `freshness` is not `live`. A decision that must not be made on old data is a write with the version that was read, or
 * takes `readThrough`. Nor does a snapshot show one moment of the tree: each of its znodes was so at some moment, later ones
 * may be newer.
 *
 * It needs one watch at the server, of ZooKeeper 3.6; older servers are given up to two for each znode.
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
import { readThrough } from "./internal/caches/readThrough.ts"
import * as TreeSnapshot from "./internal/caches/TreeSnapshot.ts"
import * as RunCache from "./internal/caches/runCache.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface Options extends RunCache.Options {
  /**
   * How many levels below the root; 0 for the root alone. Below ZooKeeper 3.6 the Stats of the last level do not follow
   * the number of their children. Default: all.
   */
  readonly maxDepth?: number | undefined
  /** Which paths below the root are cached. What is below a path that is not is not cached either. Default: all. */
  readonly filter?: ((path: string) => boolean) | undefined
  /** Whether data is kept, or Stats alone, and no data at all then. Default true. */
  readonly data?: boolean | undefined
}

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What the cache held at one moment. It never changes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Snapshot {
  /** How many znodes. */
  readonly size: number
  /** Data and Stat of a path at or below the root, if it is there. */
  readonly get: (path: string) => Option.Option<DataAndStat>
  /** The children of a path by their names; none of one that is not there. */
  readonly children: (path: string) => ReadonlyMap<string, DataAndStat>
  /** All paths with data and Stat, parents first. */
  readonly entries: () => IterableIterator<[path: string, znode: DataAndStat]>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface TreeCache extends Omit<Snapshot, "entries"> {
  readonly path: string
  /** What it holds now. */
  readonly snapshot: Snapshot
  readonly freshness: Freshness
  /**
   * What leads from nothing to what it holds, then `Freshness`, then `Synced` once all has been read; then each change.
   * `Stream.dropUntil((event) => event._tag === "Synced")` leaves out what was there before. One who listens so slowly that
   * more than 8,192 changes wait is told what they come to instead. It fails when the session is over for good.
   */
  readonly changes: Stream.Stream<CacheEvent, RecipeError>
  /** Asks the server, for what must not be of the past. What it answers comes into the cache too. */
  readonly readThrough: (path: string) => Effect.Effect<Option.Option<DataAndStat>, RecipeError>
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Caches a sub-tree until the Scope closes. Returns when all of it has been read, unless `wait` is false; fails with
 * `NoAuth` then if the root may not be read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<TreeCache, RecipeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.treeCache, options)
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
      readThrough: (at) => readThrough(zk, cache, at)
    }
  })

// ---- internal

const snapshot = (root: string, tree: TreeSnapshot.TreeSnapshot): Snapshot => {
  const find = (path: string): TreeSnapshot.Branch | undefined => {
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
