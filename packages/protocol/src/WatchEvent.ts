/**
 * What a watch reports.
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
 * @category models
 * @since 0.1.0
 */
export type WatchEventType = keyof typeof types

/**
 * A change of a znode. It carries no data: who wants to know what is there now reads it.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchEvent {
  readonly type: WatchEventType
  /** The znode that changed; for `NodeChildrenChanged` the parent whose list of children changed. */
  readonly path: string
  /** The transaction that changed it. Servers before 3.9 do not say. */
  readonly zxid: Option.Option<bigint>
}

/**
 * Events may have been missed, since the connection was lost and servers replay none for persistent watches. Whoever
 * keeps a picture of the tree reads it anew.
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
 * The type of a number on the wire, if it is known.
 *
 * @category getters
 * @since 0.1.0
 */
export const typeOf = (code: number): WatchEventType | undefined => names.get(code)

const names: ReadonlyMap<number, WatchEventType> = new Map(
  (Object.keys(types) as ReadonlyArray<WatchEventType>).map((name) => [types[name], name])
)
