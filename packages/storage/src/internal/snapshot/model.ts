/** The parts of a snapshot, and the options of reading it. */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import type { Znode } from "../../Znode.ts"

/**
 * Options of reading.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadOptions {
  /**
   * The longest znode or transaction that is read, in bytes, which bounds the memory. Default: 16 MiB. The limit of servers
   * is `jute.maxbuffer`, 1 MiB by default.
   */
  readonly maxRecordSize?: number | undefined
}

/**
 * A part of a snapshot. The sessions come first, then the ACLs, the znodes with parents before their children, and the end.
 *
 * @category models
 * @since 0.1.0
 */
export type SnapshotRecord =
  /** A session that the ensemble knew; `timeout` in milliseconds. */
  | { readonly _tag: "Session"; readonly id: bigint; readonly timeout: number }
  /** An ACL of the table to which znodes refer by its number. The ACL `world:anyone` with all permissions is not in it. */
  | { readonly _tag: "Acl"; readonly id: bigint; readonly acl: ReadonlyArray<Acl> }
  /** `offset` is where it begins in the contents, in bytes. */
  | { readonly _tag: "Znode"; readonly znode: Znode; readonly offset: number }
  | SnapshotEnd

/**
 * The end of a snapshot, which comes only if the checksum of everything before it is right.
 *
 * @category models
 * @since 0.1.0
 */
export interface SnapshotEnd {
  readonly _tag: "End"
  /** The size of the contents in bytes. */
  readonly size: number
  /** The digest of the tree after the transaction with this zxid; since ZooKeeper 3.6, unless digests are switched off. */
  readonly digest: { readonly zxid: bigint; readonly version: number; readonly value: bigint } | undefined
  /** The last transaction when the snapshot was complete; since ZooKeeper 3.9. */
  readonly lastZxid: bigint | undefined
}
