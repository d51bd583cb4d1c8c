import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RecipeError } from "../../Errors.ts"
import { retryAcrossSessions } from "../shared/retry.ts"
import { ReadFlags } from "./RefreshQueue.ts"
import type { CacheState } from "./CacheState.ts"

/** Reads from the server; the cache reads too. */
export const readThrough = (
  zk: ZooKeeper.Service,
  cache: CacheState,
  path: string
): Effect.Effect<Option.Option<DataAndStat>, RecipeError> =>
  retryAcrossSessions(zk, zk.get(path)).pipe(
    Effect.map(Option.some),
    Effect.catchTag("NoNode", () => Effect.succeedNone),
    Effect.tap(() => Effect.sync(() => cache.refreshQueue.request(path, ReadFlags.data)))
  )
