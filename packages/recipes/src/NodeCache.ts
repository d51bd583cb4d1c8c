/**
 * A copy of one znode that follows the server: reading it sends no request.
 *
 * **Guarantees**: those of `TreeCache`, of which it is the smallest. A missing znode is no error: the cache is empty, and
 * waits for the znode. It reports creation, deletion and creation again, in their order, as far as it saw them: a znode
 * that is created and deleted between two reads is not reported.
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
import * as RunCache from "./internal/caches/runCache.ts"
import { checkOptions, knownOptions } from "./internal/shared/options.ts"

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Pick<RunCache.Options, "jitter" | "wait"> {
  /** Whether to keep the data, or only the Stat, with empty data. Default true. */
  readonly data?: boolean | undefined
}

/**
 * A cache of one znode. `get` answers from memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface NodeCache {
  readonly path: string
  /** Data and Stat, if the znode exists. */
  readonly get: () => Option.Option<DataAndStat>
  readonly freshness: Freshness
  /**
   * `Created` if the znode exists, then `Freshness`, then `Synced` once it has been read; then each change. Fails when the
   * session has ended for good.
   */
  readonly changes: Stream.Stream<CacheEvent, RecipeError>
  /** Reads from the server, for decisions that need the current state. The cache takes in the reply too. */
  readonly readThrough: Effect.Effect<Option.Option<DataAndStat>, RecipeError>
}

/**
 * Caches a znode until the Scope closes. Returns when it has been read, unless `wait` is false; then it fails with
 * `NoAuth` if the znode may not be read. Needs one watch, persistent since ZooKeeper 3.6 and one-shot before.
 *
 * @example
 * ```ts
 * import { NodeCache } from "@effect-zookeeper/recipes"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * export const program = Effect.gen(function* () {
 *   const theme = yield* NodeCache.make("/config/theme")
 *   // Answers from memory, without a request.
 *   yield* Effect.log(Option.map(theme.get(), ({ data }) => new TextDecoder().decode(data)))
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  path: string,
  options: Options = {}
): Effect.Effect<NodeCache, RecipeError | InvalidArgument, ZooKeeper.ZooKeeper | Scope.Scope> =>
  Effect.gen(function* () {
    yield* checkOptions(known, options)
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
      readThrough: RunCache.readThrough(zk, cache, path)
    }
  })

// ---- internal

const known = knownOptions<Options>({ jitter: true, wait: true, data: true }, "{ data: false }")
