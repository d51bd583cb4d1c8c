/**
 * Snapshots, the files `snapshot.<zxid>` in which servers save their tree: read as a Stream, and written.
 *
 * All formats from ZooKeeper 3.4 to 3.9 are known: plain, gzip (`.gz`) and Snappy (`.snappy`), with the digest of the tree
 * (since 3.6) and the last zxid (since 3.9) or without them.
 *
 * A server goes on with its work while it writes a snapshot, so that a snapshot may have some effects of later transactions
 * than its name says. With the transactions of the logs after it, the tree is right: see `DataDirectory.treeAt`.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import type * as FileSystem from "effect/FileSystem"
import type * as Stream from "effect/Stream"
import { decodeStream, MAX_RECORD_SIZE } from "./internal/bytes/decodeStream.ts"
import { compressionOf, fileContents, withinOf } from "./internal/bytes/fileContents.ts"
import { SnapshotDecoder } from "./internal/snapshot/SnapshotDecoder.ts"
import type { FileAccessError, MalformedFile } from "./StorageError.ts"
import type { Znode } from "./Znode.ts"

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
  | { readonly _tag: "Znode"; readonly znode: Znode }
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
 * Reads a snapshot, in memory that does not grow with the file. The end of its name tells its compression.
 *
 * **Details**
 *
 * The checksum is at the end of the file: until the record `End` has come, a znode may hold a wrong byte that nothing else
 * shows. Load the tree with `DataDirectory`, or collect first, where this matters. Bytes of data are views of larger chunks:
 * copy what is kept. It fails with `FileAccessError` and with `MalformedFile`, after everything before the wrong byte; of a
 * gzip file, up to 4 KiB before it may be lost.
 *
 * @example
 * ```ts
 * import { Snapshot } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const paths = Snapshot.read("/var/lib/zookeeper/version-2/snapshot.1f").pipe(
 *   Stream.runForEach((record) => (record._tag === "Znode" ? Effect.log(record.znode.path) : Effect.void))
 * )
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const read = (
  file: string,
  options: ReadOptions = {}
): Stream.Stream<SnapshotRecord, FileAccessError | MalformedFile, FileSystem.FileSystem> => {
  const compression = compressionOf(file)
  const { maxRecordSize = MAX_RECORD_SIZE } = options
  return decodeStream(fileContents(file, compression), () => new SnapshotDecoder(), {
    file,
    within: withinOf(compression),
    maxRecordSize
  })
}
