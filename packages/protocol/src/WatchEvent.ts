/**
 * The events that watches report.
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"

/**
 * The types of event that servers send, by their number on the wire.
 *
 * @category constants
 * @since 0.1.0
 */
export const types = {
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4
} as const

/**
 * The name of a type of event.
 *
 * @category models
 * @since 0.1.0
 */
export type WatchEventType = keyof typeof types

/**
 * A change of a znode. It has no data: read the znode to see its current state.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchEvent {
  readonly type: WatchEventType
  /** The znode that changed; for `NodeChildrenChanged` the parent whose list of children changed. */
  readonly path: string
  /** The transaction that changed it; None with servers before 3.9, which do not tell. */
  readonly zxid: Option.Option<bigint>
}

/**
 * Events may have been missed: the connection was lost, and servers do not replay events of persistent watches. If you keep
 * a copy of the tree, read it again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Gap {
  readonly type: "Gap"
  /** The path that is watched. */
  readonly path: string
}

/**
 * The type of event with this number on the wire; undefined for an unknown number.
 *
 * @category getters
 * @since 0.1.0
 */
export const typeOf = (code: number): WatchEventType | undefined => names.get(code)

const names: ReadonlyMap<number, WatchEventType> = new Map(
  (Object.keys(types) as ReadonlyArray<WatchEventType>).map((name) => [types[name], name])
)
