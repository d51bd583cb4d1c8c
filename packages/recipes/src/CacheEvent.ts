/**
 * What caches hold and what they tell: the one vocabulary of `NodeCache`, `ChildrenCache` and `TreeCache`.
 *
 * Replaying the `Created`, `Updated` and `Deleted` of a stream from its beginning gives what the cache holds. A parent is
 * created before its children and deleted after them; the events of one znode come in the order in which it changed. A
 * znode that was deleted and created again is told as `Deleted` and `Created`, whatever its version. What changed back and
 * forth between two looks is not told, and neither is a change of anything but the data.
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
 * How far a cache can be trusted.
 *
 * - `live`: it showed the server's state, and is told of each change from there on.
 * - `suspended`: it is being read, or there is no connection; it may be of the past.
 * - `lost`: the session is over. It is of the past until the next session, if there is one, has read it again.
 *
 * @category models
 * @since 0.1.0
 */
export type Freshness = "live" | "suspended" | "lost"

/**
 * A change of what a cache holds.
 *
 * @category models
 * @since 0.1.0
 */
export type CacheChange =
  | { readonly _tag: "Created"; readonly path: string; readonly znode: DataAndStat }
  | { readonly _tag: "Updated"; readonly path: string; readonly old: DataAndStat; readonly znode: DataAndStat }
  | { readonly _tag: "Deleted"; readonly path: string; readonly old: DataAndStat }

/**
 * What a cache tells.
 *
 * - `Synced`: all has been read, at first or after a gap; `size` is how many znodes the cache holds.
 * - `Freshness`: how far it can be trusted has changed.
 * - `Unreadable`: a znode cannot be read, and neither can what is below it. Told once; it is tried again now and then, after
 *   a second at first and after a minute at last. What the cache held of it before stays.
 * - `Full`: `maxNodes` are held, and there are more. What comes later is left out until there is room again.
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
 * What can keep a cache from reading one znode while it can read others.
 *
 * @category errors
 * @since 0.1.0
 */
export type Unreadable = NoAuth | ConnectionLoss | ServerRefused | FrameTooLarge | ProtocolError
