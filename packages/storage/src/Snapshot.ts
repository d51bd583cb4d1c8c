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
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { decodeStream, MAX_RECORD_SIZE } from "./internal/bytes/decodeStream.ts"
import { gzip } from "./internal/bytes/gzip.ts"
import { compressionOf, fileContents, withinOf } from "./internal/bytes/fileContents.ts"
import { encodeSnapshot } from "./internal/snapshot/encodeSnapshot.ts"
import { SnapshotDecoder } from "./internal/snapshot/SnapshotDecoder.ts"
import { FileAccessError, type MalformedFile } from "./StorageError.ts"
import type { Tree } from "./Tree.ts"
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

/**
 * Options of `write`.
 *
 * @category options
 * @since 0.1.0
 */
export interface WriteOptions {
  /** `gzip` for servers since ZooKeeper 3.6. Default: `none`, which all servers read. */
  readonly compression?: "none" | "gzip" | undefined
  /** Whether a snapshot of the same name may be replaced. Default: false. */
  readonly overwrite?: boolean | undefined
}

/**
 * Writes a snapshot from which a server can start, and gives its path: `snapshot.<zxid>` in the folder, which is made if it
 * does not exist. It is the `version-2` in the `dataDir` of a server, which must not run.
 *
 * **Details**
 *
 * A server that starts there goes on from the tree's zxid, with its sessions, ACLs, containers and TTLs. A log in the folder
 * that has later transactions is replayed. The file is written beside its place, synced, and then moved there, so that an
 * interrupted call leaves no half of a snapshot. It fails with `FileAccessError`, also if the snapshot exists.
 *
 * @example
 * ```ts
 * import { DataDirectory, Snapshot } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 *
 * // The state before an accident, for a server of its own.
 * const program = Effect.gen(function* () {
 *   const { tree } = yield* DataDirectory.treeAt("/var/lib/zookeeper", { zxid: 0x1fn })
 *   yield* Snapshot.write("/tmp/before/version-2", tree)
 * })
 * ```
 *
 * @category writing
 * @since 0.1.0
 */
export const write = (
  directory: string,
  tree: Tree,
  options: WriteOptions = {}
): Effect.Effect<string, FileAccessError, FileSystem.FileSystem> => {
  const { compression = "none", overwrite = false } = options
  const name = `snapshot.${BigInt.asUintN(64, tree.zxid).toString(16)}${compression === "gzip" ? ".gz" : ""}`
  const file = `${directory}/${name}`
  return Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(directory, { recursive: true })
    if (!overwrite && (yield* fs.exists(file))) return yield* Effect.fail(new Error("it exists already"))
    const temporary = `${directory}/.${name}.tmp`
    const chunks = Stream.fromIterable(encodeSnapshot(tree), { chunkSize: 1 })
    const bytes = compression === "gzip" ? gzip(chunks) : chunks
    yield* Effect.gen(function* () {
      const handle = yield* fs.open(temporary, { flag: "w" })
      yield* Stream.runForEach(bytes, (chunk) => handle.writeAll(chunk))
      yield* handle.sync
    }).pipe(
      Effect.scoped,
      Effect.andThen(fs.rename(temporary, file)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary)))
    )
    return file
  }).pipe(Effect.mapError((cause) => new FileAccessError({ file, action: "write", cause })))
}
