/**
 * Backup files: a tree as lines of JSON (NDJSON), compressed by gzip if the name ends with `.gz`, and by nothing else.
 *
 * The first line is a `Header`, each line after it a `Record` of one znode, parents before their children, and the last one an
 * `End`. `Backup.make` writes such a file of a live tree, and `write` of any tree.
 *
 * @since 0.1.0
 */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Timestamp from "@effect-zookeeper/client/Timestamp"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { encodeLines } from "./internal/backup/encodeEntry.ts"
import type { Header } from "./internal/backup/lines.ts"
import { readEntries, readItems, verifyBackup } from "./internal/backup/readBackup.ts"
import { writeLines } from "./internal/backup/writeLines.ts"
import * as Rules from "./internal/options.ts"
import type { ReadOptions } from "./Snapshot.ts"
import type { FileAccessError, MalformedFile } from "./StorageError.ts"
import type { Entry, TreeSource } from "./internal/live/model.ts"
import { kindOf } from "./Znode.ts"

export { End, Header, Record } from "./internal/backup/lines.ts"

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

/**
 * Reads the header, and nothing else of the file.
 *
 * It fails with `FileAccessError` and with `MalformedFile`.
 *
 * @category reading
 * @since 0.1.0
 */
export const readHeader = (
  file: string
): Effect.Effect<Header, FileAccessError | MalformedFile, FileSystem.FileSystem> =>
  readItems(file, {}, true).pipe(
    Stream.runHead,
    Effect.flatMap((first) =>
      Option.isSome(first) && first.value._tag === "Header"
        ? Effect.succeed(first.value.header)
        : Effect.die("a decoder gives the header first")
    )
  )

/**
 * Reads the whole file and compares its checksum, without a look at the znodes. Use it before anything is done with them.
 *
 * @category reading
 * @since 0.1.0
 */
export const verify = (
  file: string,
  options: ReadOptions = {}
): Effect.Effect<Header, FileAccessError | MalformedFile | InvalidArgument, FileSystem.FileSystem> =>
  Effect.andThen(
    Rules.checkOptions(Rules.readOptions, options),
    Effect.suspend(() => verifyBackup(file, options))
  )

/**
 * The znodes of a backup, parents before their children, in memory that does not grow with the file.
 *
 * It fails with `FileAccessError`, and at the place of a wrong byte with `MalformedFile`. The checksum is at the end of the file:
 * what comes before it may be wrong if the file was not verified.
 *
 * @example
 * ```ts
 * import { BackupFile } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const paths = BackupFile.read("/backups/monday.ndjson.gz").pipe(
 *   Stream.runForEach(({ znode }) => Effect.log(znode.path))
 * )
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const read = (
  file: string,
  options: ReadOptions = {}
): Stream.Stream<Entry, FileAccessError | MalformedFile | InvalidArgument, FileSystem.FileSystem> => {
  const mistake = Rules.mistakeIn(Rules.readOptions, options)
  return mistake === undefined ? readEntries(file, options) : Stream.fail(mistake)
}

// -----------------------------------------------------------------------------
// writing
// -----------------------------------------------------------------------------

/**
 * Options of `write`.
 *
 * @category options
 * @since 0.1.0
 */
export interface WriteOptions {
  /** The transaction after which the tree was so, or the first of those while it was read. Default: 0, which is unknown. */
  readonly zxid?: bigint | undefined
  /** The last transaction while it was read. Default: `zxid`. */
  readonly to?: bigint | undefined
  /** Whether all znodes are of one moment. Those of a snapshot alone may not be. Default: true. */
  readonly isConsistent?: boolean | undefined
  /** Whether a file of the same name may be replaced. Default: false. */
  readonly overwrite?: boolean | undefined
}

/**
 * Writes a backup of a tree that does not change, such as that of a snapshot or data directory. It is read twice, because its size
 * is in the header, and fails with `FileAccessError` if it has another number of znodes then. For a live tree use `Backup.make`.
 *
 * The file is written beside its place, synced, and then moved there. It fails with `FileAccessError`, also if the file exists,
 * and with the errors of the source.
 *
 * @example
 * ```ts
 * import { BackupFile, TreeSource } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 *
 * // The tree of a server that no longer starts, for another ensemble.
 * const program = Effect.gen(function* () {
 *   const tree = yield* TreeSource.dataDirectory("/var/lib/zookeeper", { path: "/app" })
 *   yield* BackupFile.write("/backups/app.ndjson.gz", tree)
 * })
 * ```
 *
 * @category writing
 * @since 0.1.0
 */
export const write = <E, R>(
  file: string,
  source: TreeSource<E, R>,
  options: WriteOptions = {}
): Effect.Effect<Header, E | FileAccessError | InvalidArgument, R | FileSystem.FileSystem> =>
  Effect.gen(function* () {
    yield* Rules.checkOptions(knownWrite, options)
    const totals = { znodes: 0, bytes: 0, ephemerals: 0, mtime: 0 }
    yield* Stream.runForEach(source.entries, ({ znode }) =>
      Effect.sync(() => {
        totals.znodes++
        totals.bytes += znode.data?.length ?? 0
        if (kindOf(znode.owner)._tag === "Ephemeral") totals.ephemerals++
        totals.mtime = Math.max(totals.mtime, znode.mtime)
      })
    )
    const { mtime, ...counts } = totals
    const { isConsistent = true, zxid = 0n } = options
    const header: Header = {
      format: "effect-zookeeper-backup",
      version: 1,
      path: source.root,
      from: Hex64.format(zxid),
      to: Hex64.format(options.to ?? zxid),
      isConsistent,
      time: Timestamp.format(mtime),
      ...counts,
      unreadable: []
    }
    const lines = Stream.mapArray(source.entries, (some) => [encodeLines(some)])
    yield* writeLines(file, header, lines, options.overwrite ?? false)
    return header
  })

// ---- internal

const knownWrite = Rules.make<WriteOptions>(
  { zxid: Rules.zxid, to: Rules.zxid, isConsistent: Rules.flag, overwrite: Rules.flag },
  "{ overwrite: true }"
)
