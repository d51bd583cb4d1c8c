/**
 * A copy of one znode that follows the server: read at once, without asking anybody.
 *
 * ```ts
 * const config = yield* NodeCache.make("/config")
 * const now = config.get()
 * ```
 *
 * **Guarantees**: those of `TreeCache`, of which it is the smallest. A znode that does not exist is no error: the cache is
 * empty, and waits for it. Creation, deletion and creation again are all told, in their order, as far as they were seen:
 * what is created and deleted between two looks is not.
 *
 * It does not guarantee to be up to date; see `freshness` and `readThrough`.
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
import * as RunCache from "./internal/caches/runCache.ts"
import * as Known from "./internal/shared/recipeOptions.ts"

/**
 * @category options
 * @since 0.1.0
 */
export interface Options extends Pick<RunCache.Options, "jitter" | "wait"> {
  /** Whether data is kept, or the Stat alone, and no data at all then. Default true. */
  readonly data?: boolean | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface NodeCache {
  readonly path: string
  /** Data and Stat, if the znode is there. */
  readonly get: () => Option.Option<DataAndStat>
  readonly freshness: Freshness
  /** `Created` if the znode is there, then `Freshness`, then `Synced` once it has been read; then each change. */
  readonly changes: Stream.Stream<CacheEvent, RecipeError>
  /** Asks the server, for what must not be of the past. What it answers comes into the cache too. */
  readonly readThrough: Effect.Effect<Option.Option<DataAndStat>, RecipeError>
}

/**
 * Caches a znode until the Scope closes. Returns when it has been read, unless `wait` is false; fails with `NoAuth` then if
 * it may not be read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<NodeCache, RecipeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* Known.checkOptions(Known.nodeCache, options)
    const zk = yield* ZooKeeper.ZooKeeper
    const range = { root: path, maxDepth: 0, keepsData: () => options.data !== false, filter: undefined }
    const cache = yield* RunCache.make(zk, range, { ...options, concurrency: 1 })
    return {
      path,
      get: () => Option.map(Option.fromUndefinedOr(cache.tree.root), ({ znode }) => znode),
      get freshness() {
        return cache.freshness
      },
      changes: cache.broadcaster.stream,
      readThrough: readThrough(zk, cache, path)
    }
  })
