/**
 * State and events of caches, shared by `NodeCache`, `ChildrenCache` and `TreeCache`.
 *
 * Replaying the `Created`, `Updated` and `Deleted` events of a stream from its beginning gives the state of the cache. A
 * parent is created before its children and deleted after them; the events of one znode come in the order of its changes.
 * A znode that was deleted and created again gives `Deleted` and `Created`, whatever its version. A change back and forth
 * between two reads gives no event, and neither does a change of anything but the data.
 *
 * @since 0.1.0
 */
import type {
  ConnectionLoss,
  FrameTooLarge,
  NoAuth,
  ProtocolError,
  ServerRefused
} from "@effect-zookeeper/client/Errors"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"

/**
 * How far to trust a cache.
 *
 * - `live`: it had the server's state, and each change is reported to it.
 * - `suspended`: it is being read, or there is no connection; it may be out of date.
 * - `lost`: the session is over. It is out of date until the next session, if there is one, has read it again.
 *
 * @category models
 * @since 0.1.0
 */
export type Freshness = "live" | "suspended" | "lost"

/**
 * A change of the state of a cache.
 *
 * @category models
 * @since 0.1.0
 */
export type CacheChange =
  | { readonly _tag: "Created"; readonly path: string; readonly znode: DataAndStat }
  | { readonly _tag: "Updated"; readonly path: string; readonly old: DataAndStat; readonly znode: DataAndStat }
  | { readonly _tag: "Deleted"; readonly path: string; readonly old: DataAndStat }

/**
 * An event of a cache.
 *
 * - `Synced`: everything has been read, at first or after a gap; `size` is the number of znodes in the cache.
 * - `Freshness`: how far to trust the cache has changed.
 * - `Unreadable`: a znode, and so everything below it, cannot be read. Emitted once; the cache tries again, after a second
 *   at first and later once a minute, and after eight lost connections in a minute. It keeps the earlier state of that znode.
 * - `Full`: the cache holds `maxNodes`, and there are more. It leaves out further znodes until there is room again.
 *
 * @category models
 * @since 0.1.0
 */
export type CacheEvent =
  | CacheChange
  | { readonly _tag: "Synced"; readonly size: number }
  | { readonly _tag: "Freshness"; readonly freshness: Freshness }
  | { readonly _tag: "Unreadable"; readonly path: string; readonly error: Unreadable }
  | { readonly _tag: "Full"; readonly maxNodes: number }

/**
 * Errors that keep a cache from reading one znode while it can read others.
 *
 * @category errors
 * @since 0.1.0
 */
export type Unreadable = NoAuth | ConnectionLoss | ServerRefused | FrameTooLarge | ProtocolError
