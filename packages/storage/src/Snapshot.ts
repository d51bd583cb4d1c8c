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
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { gzip } from "./internal/bytes/gzip.ts"
import { writeAtomically } from "./internal/bytes/writeAtomically.ts"
import * as Rules from "./internal/options.ts"
import { encodeSnapshot } from "./internal/snapshot/encodeSnapshot.ts"
import { readRecords } from "./internal/snapshot/readRecords.ts"
import { FileAccessError, type MalformedFile } from "./StorageError.ts"
import type { Tree } from "./Tree.ts"
import type { ReadOptions, SnapshotRecord } from "./internal/snapshot/model.ts"

export type { ReadOptions, SnapshotEnd, SnapshotRecord } from "./internal/snapshot/model.ts"

/**
 * Reads a snapshot, in memory that does not grow with the file. The end of its name tells its compression.
 *
 * **Details**
 *
 * The checksum is at the end of the file: until the record `End` has come, a znode may hold a wrong byte that nothing else
 * shows. Load the tree with `DataDirectory`, or collect first, where this matters. A znode may have an ACL that was new while the
 * server wrote the file, and is only in the log: this is `Corrupt` here, and not in `DataDirectory.treeAt`. Bytes of data are views of larger chunks:
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
): Stream.Stream<SnapshotRecord, FileAccessError | MalformedFile | InvalidArgument, FileSystem.FileSystem> => {
  const mistake = Rules.mistakeIn(Rules.readOptions, options)
  return mistake === undefined ? readRecords(file, options, false) : Stream.fail(mistake)
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
): Effect.Effect<string, FileAccessError | InvalidArgument, FileSystem.FileSystem> => {
  const mistake = Rules.mistakeIn(knownWrite, options)
  if (mistake !== undefined) return Effect.fail(mistake)
  const { compression = "none", overwrite = false } = options
  const name = `snapshot.${Hex64.digits(tree.zxid)}${compression === "gzip" ? ".gz" : ""}`
  const file = `${directory}/${name}`
  return Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* Effect.mapError(
      fs.makeDirectory(directory, { recursive: true }),
      (cause) => new FileAccessError({ file, action: "write", cause })
    )
    const chunks = Stream.fromIterable(encodeSnapshot(tree), { chunkSize: 1 })
    yield* writeAtomically(file, compression === "gzip" ? gzip(chunks) : chunks, overwrite)
    return file
  })
}

// ---- internal

const knownWrite = Rules.make<WriteOptions>(
  { compression: Rules.oneOf("none", "gzip"), overwrite: Rules.flag },
  '{ compression: "gzip" }'
)
