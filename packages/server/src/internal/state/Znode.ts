/**
 * A znode as a server keeps it, and its Stat for clients.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"

/**
 * A znode in a snapshot, as the server keeps it. The fields of the Stat have the names that they have there.
 *
 * @category models
 * @since 0.1.0
 */
export interface SnapshotZnode extends StoredZnode.StoredZnode {
  /** Names. */
  readonly children: ReadonlySet<string>
}

/**
 * A znode that a change alters in place. `statOf` gives the `cversion` that clients see.
 *
 * @category models
 * @since 0.1.0
 */
export interface Znode extends SnapshotZnode {
  data: Uint8Array | null
  acl: ReadonlyArray<Acl>
  readonly children: Set<string>
  mzxid: bigint
  pzxid: bigint
  mtime: number
  version: number
  cversion: number
  aversion: number
}

/**
 * A new znode without children.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly data: Uint8Array | null
  readonly acl: ReadonlyArray<Acl>
  readonly owner?: bigint | undefined
  readonly zxid: bigint
  readonly time: number
}): Znode => ({
  data: options.data,
  acl: options.acl,
  children: new Set(),
  czxid: options.zxid,
  mzxid: options.zxid,
  pzxid: options.zxid,
  ctime: options.time,
  mtime: options.time,
  version: 0,
  cversion: 0,
  aversion: 0,
  owner: options.owner ?? 0n
})

/**
 * The Stat of a znode for clients.
 *
 * @category getters
 * @since 0.1.0
 */
export const statOf = (znode: SnapshotZnode): Stat => StoredZnode.statOf(znode, znode.children.size)
