/**
 * A copy of the children of a znode, with their data, that follows the server: reading it sends no request.
 *
 * **Guarantees**: those of `TreeCache`, for one level. A parent that does not exist, or is deleted, is no error: there are
 * no children then, and the cache waits for it. The parent's own data is not read.
 *
 * It does not guarantee to be up to date; see `freshness`.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CacheEvent, Freshness } from "./CacheEvent.ts"
import type { RecipeError } from "./Errors.ts"
import type { Branch } from "./internal/caches/Branch.ts"
import * as TreeSnapshot from "./internal/caches/TreeSnapshot.ts"
import * as RunCache from "./internal/caches/runCache.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"
import { checkCount } from "./internal/shared/validate.ts"

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends RunCache.Options {
  /** Which children to cache, by their names. Default: all. */
  readonly filter?: ((name: string) => boolean) | undefined
  /** Whether to keep data, or only Stats, with empty data. Default true. */
  readonly data?: boolean | undefined
}

/**
 * A cache of the children of one znode. `get` answers from memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildrenCache {
  readonly path: string
  /** Data and Stat of each child by its name. The Map never changes, and is the same one until a child changes. */
  readonly get: () => ReadonlyMap<string, DataAndStat>
  readonly freshness: Freshness
  /**
   * `Created` for each child, then `Freshness`, then `Synced` once all have been read; then each change. Fails when the
   * session has ended for good.
   */
  readonly changes: Stream.Stream<CacheEvent, RecipeError>
}

/**
 * Caches the children of a znode until the Scope closes. Returns when all have been read, unless `wait` is false; then it
 * fails with `NoAuth` if the parent may not be read.
 *
 * @example
 * ```ts
 * import { ChildrenCache } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function* () {
 *   const workers = yield* ChildrenCache.make("/workers")
 *   // Answers from memory, without a request.
 *   for (const [name, { data }] of workers.get()) yield* Effect.log(name, new TextDecoder().decode(data))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<ChildrenCache, RecipeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
    const zk = yield* ZooKeeper.ZooKeeper
    const { filter } = options
    const maxNodes = yield* checkCount("maxNodes", options.maxNodes, { most: Number.POSITIVE_INFINITY })
    const range = {
      root: path,
      maxDepth: 1,
      keepsData: (depth: number) => depth > 0 && options.data !== false,
      filter: filter === undefined ? undefined : (at: string) => filter(ZnodePath.name(at))
    }
    // The parent is one more.
    const limit = maxNodes === undefined ? undefined : maxNodes + 1
    const cache = yield* RunCache.make(zk, range, { ...options, maxNodes: limit })
    let of: Branch | undefined
    let children = TreeSnapshot.childrenOf(of)
    return {
      path,
      get: () => {
        const { root } = cache.tree
        if (root?.children !== of?.children) children = TreeSnapshot.childrenOf(root)
        of = root
        return children
      },
      get freshness() {
        return cache.freshness
      },
      changes: cache.broadcaster.stream.pipe(
        Stream.filter((event) => !("path" in event) || event.path !== path || event._tag === "Unreadable"),
        Stream.map((event): CacheEvent => {
          if (event._tag === "Full") return { _tag: "Full", maxNodes: event.maxNodes - 1 }
          return event._tag === "Synced" ? { _tag: "Synced", size: Math.max(0, event.size - 1) } : event
        })
      )
    }
  })

// ---- internal

const known = knownOptions<Options>(
  { concurrency: true, maxNodes: true, jitter: true, wait: true, filter: true, data: true },
  "{ data: false }"
)
