/**
 * Trees that can be restored, copied and compared, wherever they are: a live ensemble, a backup, a snapshot, or a data
 * directory at a transaction.
 *
 * @since 0.1.0
 */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import { InvalidArgument, NoNode } from "@effect-zookeeper/client/Errors"
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as DataDirectory from "./DataDirectory.ts"
import { readEntries, verifyBackup } from "./internal/backup/readBackup.ts"
import { mistakeInAclReaders } from "./internal/live/aclReaders.ts"
import { type JointReads, jointReadsOf, readTogether, visitRead } from "./internal/live/readTogether.ts"
import { type OwnerOf, readZnode, type ReadZnode } from "./internal/live/readZnode.ts"
import { sizeOf } from "./internal/live/sizeOf.ts"
import { bytesOf, concurrencyOf, isExcluded, type Visit, walk } from "./internal/live/walk.ts"
import * as Rules from "./internal/options.ts"
import { treeKeys } from "./internal/tree/knownKeys.ts"
import { loadSnapshot, requireAcls } from "./internal/tree/loadSnapshot.ts"
import type { TreeLimits } from "./internal/tree/MutableTree.ts"
import type { ReadOptions } from "./Snapshot.ts"
import type { FileAccessError, IncompleteDirectory, MalformedFile } from "./StorageError.ts"
import type { Tree } from "./Tree.ts"
import type { Znode } from "./Znode.ts"
import type { AclReaders, Entry, LiveReader, Owners, TreeSource } from "./internal/live/model.ts"

export type { AclReaders, Entry, LiveReader, Owners, TreeSource } from "./internal/live/model.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `live`.
 *
 * @category options
 * @since 0.1.0
 */
export interface LiveOptions extends AclReaders {
  /** The first znode. Default: `/`. */
  readonly path?: string | undefined
  /**
   * How many znodes are asked for at a time. Their data is in memory together. Default: 256, and with `aclReaders` up to 1,024 as
   * long as their data has less than 64 MB.
   */
  readonly concurrency?: number | undefined
  /** Where containers and TTL znodes are known from; see `ownersOf`. Default: nowhere. */
  readonly owners?: Owners | undefined
}

/**
 * Options of sources that are files: the subtree of which path.
 *
 * @category options
 * @since 0.1.0
 */
export interface FileOptions extends ReadOptions {
  /** The first znode. Default: `/`, or that of the backup. */
  readonly path?: string | undefined
}

/**
 * Options of `snapshot`.
 *
 * @category options
 * @since 0.1.0
 */
export interface SnapshotOptions extends FileOptions, TreeLimits {}

/**
 * Options of `dataDirectory`.
 *
 * @category options
 * @since 0.1.0
 */
export interface DirectoryOptions extends DataDirectory.TreeOptions {
  /** The first znode. Default: `/`. */
  readonly path?: string | undefined
  /**
   * Gets how the tree was put together, with the snapshots that were passed over and the comparison of digests. It must return at
   * once and not throw.
   */
  readonly onRestored?: ((restored: DataDirectory.Restored) => void) | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * The tree of an ensemble, as it is when it is read. Each znode is as it was at one moment, and different znodes may be of
 * different moments: `Backup.make` reads until all of them are of one.
 *
 * It fails with `NoNode` if the first znode does not exist, and with `NoAuth` at a znode that may not be read.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { TreeSource } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   return yield* Stream.runCount(TreeSource.live(zk, { path: "/app" }).entries)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const live = (zk: LiveReader, options: LiveOptions = {}): TreeSource<ReadError> => {
  const mistake = Rules.mistakeIn(knownLive, options) ?? mistakeInAclReaders(zk, options)
  if (mistake !== undefined) return refused("the live tree", mistake)
  const { owners, path: root = "/" } = options
  const visit = (path: string) =>
    readZnode(zk, path, owners).pipe(
      Effect.map(visitOf),
      Effect.catchIf(
        (error) => error._tag === "NoNode" && path !== root,
        () => Effect.undefined
      )
    )
  const visitAll = (joint: JointReads) => (paths: ReadonlyArray<string>) =>
    Effect.flatMap(readTogether(joint, paths, owners), (found) => {
      const visitFound = (path: string) => {
        const read = found.get(path)
        return read === undefined ? undefined : visitOf(read)
      }
      return visitRead(paths, visitFound, visit)
    })
  return {
    name: `the live tree ${root}`,
    root,
    client: zk,
    entries: Stream.suspend(() =>
      walk(root, visitAll(jointReadsOf(zk, options)), concurrencyOf(options), bytesOf)
    ).pipe(Stream.flatMap((entries) => Stream.fromIterable(entries))),
    size: sizeOf(zk, root)
  }
}

/**
 * A backup, or a subtree of it. The whole file is read first, and its checksum compared, so that no wrong znode is restored.
 *
 * It fails with `MalformedFile`, with `InvalidArgument` if the path is not below that of the backup, and with `NoNode` if the path is
 * not in it.
 *
 * @example
 * ```ts
 * import { TreeSource } from "@effect-zookeeper/storage"
 *
 * const app = TreeSource.backup("/backups/monday.ndjson.gz", { path: "/app" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const backup = (
  file: string,
  options: FileOptions = {}
): Effect.Effect<
  TreeSource<FileAccessError | MalformedFile | NoNode, FileSystem.FileSystem>,
  FileAccessError | MalformedFile | InvalidArgument,
  FileSystem.FileSystem
> =>
  Effect.gen(function* () {
    yield* Rules.checkOptions(knownFile, options)
    const header = yield* verifyBackup(file, options)
    const { path: root = header.path } = options
    if (!ZnodePath.isUnder(header.path, root)) {
      return yield* new InvalidArgument({
        argument: "path",
        value: root,
        rule: `must be in the backup, which has the tree of ${header.path}`
      })
    }
    return {
      name: `the backup ${file}`,
      root,
      entries: below(
        root,
        Stream.filter(readEntries(file, options), ({ znode }) => ZnodePath.isUnder(root, znode.path))
      ),
      size: Effect.succeed(root === header.path ? header.znodes : undefined)
    }
  })

/**
 * The tree of a snapshot as it is in the file: the server may have gone on while it wrote it. `dataDirectory` takes the logs as
 * well, which make it right. The whole tree is in memory.
 *
 * @example
 * ```ts
 * import { TreeSource } from "@effect-zookeeper/storage"
 *
 * const app = TreeSource.snapshot("/var/lib/zookeeper/version-2/snapshot.1f", { path: "/app" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const snapshot = (
  file: string,
  options: SnapshotOptions = {}
): Effect.Effect<TreeSource<NoNode>, FileAccessError | MalformedFile | InvalidArgument, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    yield* Rules.checkOptions(knownSnapshot, options)
    const { tree } = yield* loadSnapshot({ path: file, zxid: 0n }, options)
    yield* requireAcls(file, tree)
    return sourceOf(tree, options.path, `the snapshot ${file}`)
  })

/**
 * The tree of a data directory; see `DataDirectory.treeAt`. The whole tree is in memory.
 *
 * @example
 * ```ts
 * import { TreeSource } from "@effect-zookeeper/storage"
 *
 * const before = TreeSource.dataDirectory("/var/lib/zookeeper", { zxid: 0x1fn, path: "/app" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const dataDirectory = (
  directory: string,
  options: DirectoryOptions = {}
): Effect.Effect<
  TreeSource<NoNode>,
  FileAccessError | MalformedFile | IncompleteDirectory | InvalidArgument,
  FileSystem.FileSystem
> =>
  Effect.gen(function* () {
    yield* Rules.checkOptions(knownDirectory, options)
    const { onRestored, path, ...at } = options
    const restored = yield* DataDirectory.treeAt(directory, at)
    onRestored?.(restored)
    const { tree } = restored
    return sourceOf(tree, path, `${directory} at zxid ${Hex64.format(tree.zxid)}`)
  })

/**
 * A tree in memory.
 *
 * @example
 * ```ts
 * import { DataDirectory, TreeSource } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 *
 * const app = Effect.map(DataDirectory.treeAt("/var/lib/zookeeper"), ({ tree }) =>
 *   TreeSource.fromTree(tree, { path: "/app" })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromTree = (
  tree: Tree,
  options: { readonly path?: string | undefined; readonly name?: string | undefined } = {}
): TreeSource<NoNode | InvalidArgument> => {
  const mistake = Rules.mistakeIn(knownTree, options)
  return mistake === undefined ? sourceOf(tree, options.path, options.name) : refused("the tree", mistake)
}

/**
 * The owners of the znodes of a tree, such as that of a snapshot which a server has written lately: with them, a live tree knows
 * the containers and TTL znodes that were there by then. `chroot` is that of the client that reads the live tree.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { Backup, DataDirectory, TreeSource } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const { tree } = yield* DataDirectory.treeAt("/var/lib/zookeeper")
 *   yield* Backup.make(zk, "/backups/monday.ndjson.gz", { owners: TreeSource.ownersOf(tree) })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ownersOf =
  (tree: Pick<Tree, "get">, chroot = ""): Owners & OwnerOf =>
  (path, czxid) => {
    const znode = tree.get(chroot === "" ? path : path === "/" ? chroot : chroot + path)
    return znode?.czxid === czxid ? znode.owner : undefined
  }

// ---- internal

const visitOf = ({ children, entry }: ReadZnode): Visit<Entry> => ({ value: entry, children })

const knownLive = Rules.make<LiveOptions>(
  { path: Rules.znodePath, concurrency: Rules.count, aclReaders: Rules.clients, owners: Rules.callback },
  '{ path: "/app" }'
)

const fileRules: Rules.Rules<FileOptions> = { ...Rules.reading, path: Rules.znodePath }

const knownFile = Rules.make<FileOptions>(fileRules, '{ path: "/app" }')

const knownSnapshot = Rules.make<SnapshotOptions>({ ...fileRules, maxTreeSize: Rules.limit(1) }, '{ path: "/app" }')

const knownDirectory = Rules.make<DirectoryOptions>(
  { ...treeKeys, path: Rules.znodePath, onRestored: Rules.callback },
  '{ path: "/app" }'
)

const knownTree = Rules.make<NonNullable<Parameters<typeof fromTree>[1]>>(
  { path: Rules.znodePath, name: Rules.text },
  '{ path: "/app" }'
)

const refused = (name: string, mistake: InvalidArgument): TreeSource<InvalidArgument> => ({
  name,
  root: "/",
  entries: Stream.fail(mistake),
  size: Effect.undefined
})

const sourceOf = (tree: Tree, root = "/", name = "the tree"): TreeSource<NoNode> => {
  const isMeant = ({ path }: Znode) => ZnodePath.isUnder(root, path) && !isExcluded(root, path)
  return {
    name,
    root,
    entries: below(
      root,
      Stream.suspend(() =>
        Stream.fromIterable(tree.entries()).pipe(
          Stream.filter(isMeant),
          Stream.map((znode): Entry => ({ znode, numChildren: tree.children(znode.path).size, isKindKnown: true }))
        )
      )
    ),
    size: Effect.sync(() => {
      if (root === "/") return tree.size
      let size = 0
      for (const znode of tree.entries()) if (isMeant(znode)) size++
      return size
    })
  }
}

/** Fails if there is nothing. */
const below = <E, R>(root: string, entries: Stream.Stream<Entry, E, R>): Stream.Stream<Entry, E | NoNode, R> =>
  Stream.suspend(() => {
    let isEmpty = true
    return entries.pipe(
      Stream.mapArray((some) => {
        isEmpty = false
        return some
      }),
      Stream.concat(
        Stream.suspend(() => (isEmpty ? Stream.fail(new NoNode({ path: root, operation: "exists" })) : Stream.empty))
      )
    )
  })
