/**
 * Backups of a live tree over the wire: one file with the data, ACLs, kinds and Stats of all znodes, of one moment as far as
 * ZooKeeper allows it.
 *
 * @since 0.1.0
 */
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as Timestamp from "@effect-zookeeper/client/Timestamp"
import type { InvalidArgument, ReadError, SessionError } from "@effect-zookeeper/client/Errors"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import type { Header } from "./BackupFile.ts"
import { holdFile } from "./internal/backup/holdFile.ts"
import { openPartialFile } from "./internal/backup/PartialFile.ts"
import { writeLines } from "./internal/backup/writeLines.ts"
import { type ChangedPaths, watchChanges } from "./internal/live/ChangedPaths.ts"
import { checkAclReaders } from "./internal/live/aclReaders.ts"
import { TreeFollower, zxidNow } from "./internal/live/TreeFollower.ts"
import { sizeOf } from "./internal/live/sizeOf.ts"
import { concurrencyOf } from "./internal/live/walk.ts"
import * as Rules from "./internal/options.ts"
import type { OnProgress } from "./Progress.ts"
import { FileAccessError } from "./StorageError.ts"
import type { AclReaders, LiveReader, Owners } from "./TreeSource.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends AclReaders {
  /** The first znode. Default: `/`, without `/zookeeper`. */
  readonly path?: string | undefined
  /**
   * How many znodes are asked for at a time. Their data is in memory together. Default: 256, and with `aclReaders` up to 1,024 as
   * long as their data has less than 64 MB.
   */
  readonly concurrency?: number | undefined
  /** Where containers and TTL znodes are known from, because servers do not tell them; see `TreeSource.ownersOf`. */
  readonly owners?: Owners | undefined
  /**
   * Znodes that may not be read: `fail` (default) ends with `NoAuth`, `skip` leaves them out with everything below, and names
   * them in the header.
   */
  readonly unreadable?: "fail" | "skip" | undefined
  /** Whether to go on with what an earlier run has left in `<file>.partial`. Default: true. */
  readonly resume?: boolean | undefined
  /** Whether a file of the same name may be replaced. Default: false. */
  readonly overwrite?: boolean | undefined
  /** How often the whole tree is looked at, until nothing has changed meanwhile. Default: 10. */
  readonly maxPasses?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * A backup that was made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Result {
  readonly file: string
  readonly header: Header
  /** How often the whole tree was looked at. */
  readonly passes: number
  /** How many znodes an earlier run had left. */
  readonly resumed: number
}

// -----------------------------------------------------------------------------
// backups
// -----------------------------------------------------------------------------

/**
 * Reads the tree of an ensemble into one file, compressed if its name ends with `.gz`.
 *
 * **Details**
 *
 * Znodes that change while the tree is read are read again, until nothing has changed any more: then all of them are of one moment
 * between the transactions `from` and `to` of the header, and `isConsistent` is true. A recursive watch tells the changes since
 * ZooKeeper 3.6; the Stats tell them on older servers, and those of ACLs on all of them. On a tree that never rests it ends after
 * `maxPasses`, with `isConsistent: false`.
 *
 * All that is read is in `<file>.partial` until the file is complete, which then appears at once. After an interruption, a lost
 * session or a crash, the same call goes on: only znodes that have changed since are read again, and all that
 * an earlier run has read in another ensemble. The rest of a backup of another path or chroot is refused. Two calls do not write the same
 * file at a time, on this machine or on another that shares its folder: the second fails. `<file>.partial.lock` is there meanwhile.
 * The file has all data and ACLs as readable text: protect it.
 *
 * It fails with `NoNode` if the first znode does not exist, with `NoAuth` at a znode that may not be read, with
 * `FileAccessError`, also if the file exists or another backup writes it, and with the errors of the session.
 *
 * **Gotchas**
 *
 * Without ADMIN on a znode, servers show the hashes of its ACL as "x"; `Restore` refuses such ACLs. Read with the super user, or map
 * them when you restore.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { Backup } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const { header } = yield* Backup.make(zk, "/backups/app.ndjson.gz", { path: "/app" })
 *   yield* Effect.log(`${header.znodes} znodes at ${header.to}, consistent: ${header.isConsistent}`)
 * })
 * ```
 *
 * @category backups
 * @since 0.1.0
 */
export const make = (
  zk: LiveReader,
  file: string,
  options: Options = {}
): Effect.Effect<Result, ReadError | FileAccessError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    yield* Rules.checkOptions(known, options)
    yield* checkAclReaders(zk, options)
    const { overwrite = false } = options
    yield* refuseExisting(file, overwrite)
    yield* holdFile(`${file}.partial`)
    const result = yield* makeHeld(zk, file, options)
    const fs = yield* FileSystem.FileSystem
    yield* Effect.mapError(
      fs.remove(`${file}.partial`),
      (cause) => new FileAccessError({ file: `${file}.partial`, action: "write", cause })
    )
    return result
  }).pipe(Effect.scoped)

// ---- internal

const known = Rules.make<Options>(
  {
    path: Rules.znodePath,
    concurrency: Rules.count,
    aclReaders: Rules.clients,
    owners: Rules.callback,
    unreadable: Rules.oneOf("fail", "skip"),
    resume: Rules.flag,
    overwrite: Rules.flag,
    maxPasses: Rules.limit(1),
    onProgress: Rules.callback
  },
  '{ path: "/app" }'
)

/** Makes a backup that no other run makes at the same time. The file with what was read is closed at the end. */
const makeHeld = (
  zk: LiveReader,
  file: string,
  options: Options
): Effect.Effect<Result, ReadError | FileAccessError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const { maxPasses = 10, onProgress, overwrite = false, path = "/" } = options
    const skipsUnreadable = options.unreadable === "skip"
    const knowsKinds = options.owners !== undefined
    const head = `${JSON.stringify({ partial: 2, chroot: zk.chroot, path, knowsKinds })}\n`
    const partial = yield* openPartialFile(`${file}.partial`, head, options.resume ?? true)
    const resumed = partial.known.size
    const from = yield* zxidNow(zk, path)
    const total = yield* sizeOf(zk, path)
    const changes = yield* watchChanges(zk, path)
    let passes = 0
    const follower = new TreeFollower({
      zk,
      aclReaders: options.aclReaders,
      root: path,
      concurrency: concurrencyOf(options),
      ownerOf: options.owners,
      skipsUnreadable,
      known: partial.known,
      onRead: (entries) => partial.add(entries),
      onGone: (paths) => partial.remove(paths),
      onVisited: (done) => onProgress?.({ phase: passes === 0 ? "reading" : "checking", done, total })
    })
    let isConsistent = false
    let begun = from
    while (true) {
      const changed = yield* follower.pass
      passes++
      // Nothing at all was written in the ensemble.
      if ((yield* zxidNow(zk, path)) === begun) isConsistent = true
      else {
        const noticed = yield* catchUpAll(changes, follower, zxidNow(zk, path))
        if (passes > 1) isConsistent = noticed !== undefined && [...changed].every((path) => noticed.has(path))
      }
      if (isConsistent || passes >= maxPasses) break
      begun = yield* zxidNow(zk, path)
    }
    const to = yield* zxidNow(zk, path)
    const { bytes, ephemerals, znodes } = partial.totals
    const header: Header = {
      format: "effect-zookeeper-backup",
      version: 1,
      path,
      from: Hex64.format(from),
      to: Hex64.format(to),
      isConsistent,
      time: Timestamp.format(yield* Clock.currentTimeMillis),
      znodes,
      bytes,
      ephemerals,
      unreadable: [...follower.unreadable].toSorted()
    }
    let written = 0
    const tell = () => onProgress?.({ phase: "writing", done: written, total: znodes })
    tell()
    const lines = Stream.mapArray(partial.newest(), (some) => {
      for (const { count } of some) written += count
      tell()
      return some
    })
    yield* writeLines(file, header, lines, overwrite)
    tell()
    const result: Result = { file, header, passes, resumed }
    return result
  }).pipe(Effect.scoped)

/** How often the changes are read that came while others were read, after each look at the whole tree. */
const MAX_ROUNDS = 100

const refuseExisting = (file: string, overwrite: boolean) =>
  Effect.gen(function* () {
    if (overwrite) return
    const fs = yield* FileSystem.FileSystem
    const error = (cause: unknown) => new FileAccessError({ file, action: "write", cause })
    if (yield* Effect.mapError(fs.exists(file), error)) return yield* error(new Error("it exists already"))
  })

/**
 * Reads what has changed, until nothing has. Gives the paths that had; undefined if changes may have been missed, or if they did
 * not end.
 */
const catchUpAll = <E, R>(
  changes: ChangedPaths,
  follower: TreeFollower<E, R>,
  barrier: Effect.Effect<unknown, E | ReadError, R>
): Effect.Effect<ReadonlySet<string> | undefined, E | ReadError | InvalidArgument | SessionError, R> =>
  Effect.gen(function* () {
    const noticed = new Set<string>()
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
      // Events come before the answers to later requests.
      yield* barrier
      const { hasGap, paths } = yield* changes.take
      if (hasGap) return undefined
      if (paths.length === 0) return noticed
      for (const path of paths) noticed.add(path)
      yield* follower.catchUp(paths)
    }
    return undefined
  })
