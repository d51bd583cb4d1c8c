/**
 * The functions of this package as Promises and AsyncIterables, on Node's files.
 *
 * A Promise rejects, and a loop throws, with the error of the Effect: `FileAccessError`, `MalformedFile`, `IncompleteDirectory`,
 * or an error of the client. Leaving a loop closes the file.
 *
 * @since 0.1.0
 */
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import * as PromiseAdapter from "@effect-zookeeper/client/PromiseAdapter"
import type { CallOptions } from "@effect-zookeeper/client/PromiseAdapter"
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as Backup from "./Backup.ts"
import * as BackupFile from "./BackupFile.ts"
import * as DataDirectory from "./DataDirectory.ts"
import * as Diff from "./Diff.ts"
import * as Mirror from "./Mirror.ts"
import * as Restore from "./Restore.ts"
import * as Snapshot from "./Snapshot.ts"
import type { FileAccessError, MalformedFile } from "./StorageError.ts"
import type { Transaction } from "./Transaction.ts"
import * as TransactionLog from "./TransactionLog.ts"
import type { Tree } from "./Tree.ts"
import * as TreeSource from "./TreeSource.ts"

export type { CallOptions } from "@effect-zookeeper/client/PromiseAdapter"

/**
 * Reads a snapshot; see `Snapshot.read`.
 *
 * @example
 * ```ts
 * import { readSnapshot } from "@effect-zookeeper/storage/Promise"
 *
 * for await (const record of readSnapshot("/var/lib/zookeeper/version-2/snapshot.1f")) {
 *   if (record._tag === "Znode") console.log(record.znode.path)
 * }
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const readSnapshot = (
  file: string,
  options?: Snapshot.ReadOptions,
  call?: CallOptions
): AsyncIterable<Snapshot.SnapshotRecord> => iterable(Snapshot.read(file, options), call)

/**
 * Reads a log; see `TransactionLog.read`.
 *
 * @category reading
 * @since 0.1.0
 */
export const readLog = (file: string, options?: Snapshot.ReadOptions, call?: CallOptions): AsyncIterable<Transaction> =>
  iterable(TransactionLog.read(file, options), call)

/**
 * The snapshots and logs of a folder; see `DataDirectory.list`.
 *
 * @category reading
 * @since 0.1.0
 */
export const list = (directory: string, call?: CallOptions): Promise<DataDirectory.Listing> =>
  run(DataDirectory.list(directory), call)

/**
 * The transactions of all logs of a folder; see `DataDirectory.transactions`.
 *
 * @category reading
 * @since 0.1.0
 */
export const transactions = (
  directory: string,
  options?: DataDirectory.TransactionsOptions,
  call?: CallOptions
): AsyncIterable<Transaction> => iterable(DataDirectory.transactions(directory, options), call)

/**
 * The tree as it was after a transaction; see `DataDirectory.treeAt`.
 *
 * @example
 * ```ts
 * import { treeAt } from "@effect-zookeeper/storage/Promise"
 *
 * const { tree } = await treeAt("/var/lib/zookeeper")
 * for (const znode of tree.entries()) console.log(znode.path)
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const treeAt = (
  directory: string,
  options?: DataDirectory.TreeOptions,
  call?: CallOptions
): Promise<DataDirectory.Restored> => run(DataDirectory.treeAt(directory, options), call)

/**
 * The last transaction by a time; see `DataDirectory.zxidAt`.
 *
 * @category reading
 * @since 0.1.0
 */
export const zxidAt = (
  directory: string,
  time: number,
  options?: DataDirectory.Options,
  call?: CallOptions
): Promise<bigint> => run(DataDirectory.zxidAt(directory, time, options), call)

/**
 * Reads a whole backup and compares its checksum; see `BackupFile.verify`.
 *
 * @category reading
 * @since 0.1.0
 */
export const verifyBackup = (
  file: string,
  options?: Snapshot.ReadOptions,
  call?: CallOptions
): Promise<BackupFile.Header> => run(BackupFile.verify(file, options), call)

/**
 * The znodes of a backup; see `BackupFile.read`.
 *
 * @category reading
 * @since 0.1.0
 */
export const readBackup = (
  file: string,
  options?: Snapshot.ReadOptions,
  call?: CallOptions
): AsyncIterable<TreeSource.Entry> => iterable(BackupFile.read(file, options), call)

/**
 * Writes a snapshot from which a server can start; see `Snapshot.write`.
 *
 * @category writing
 * @since 0.1.0
 */
export const writeSnapshot = (
  directory: string,
  tree: Tree,
  options?: Snapshot.WriteOptions,
  call?: CallOptions
): Promise<string> => run(Snapshot.write(directory, tree, options), call)

// -----------------------------------------------------------------------------
// trees
// -----------------------------------------------------------------------------

/**
 * A tree that can be restored, copied and compared: that of a live ensemble, a backup, a snapshot, or a data directory.
 *
 * @category models
 * @since 0.1.0
 */
export type Source = TreeSource.TreeSource<SourceError, FileSystem.FileSystem>

/**
 * The errors of reading a {@link Source}.
 *
 * @category errors
 * @since 0.1.0
 */
export type SourceError = ReadError | FileAccessError | MalformedFile

/**
 * Options whose clients are those of this face.
 *
 * @category options
 * @since 0.1.0
 */
export type OfPromises<O extends TreeSource.AclReaders> = Omit<O, "aclReaders"> & TreeSource.AclReaders<PromiseClient>

/**
 * The tree of an ensemble; see `TreeSource.live`.
 *
 * @category trees
 * @since 0.1.0
 */
export const liveTree = (
  zk: PromiseClient,
  options?: OfPromises<TreeSource.LiveOptions>,
  call?: CallOptions
): Promise<Source> =>
  zk.run(
    Effect.map(ZooKeeper.ZooKeeper, (service) => TreeSource.live(service, withReaders(options))),
    call
  )

/**
 * The tree of a backup, whose checksum is compared first; see `TreeSource.backup`.
 *
 * @category trees
 * @since 0.1.0
 */
export const backupTree = (file: string, options?: TreeSource.FileOptions, call?: CallOptions): Promise<Source> =>
  run(TreeSource.backup(file, options), call)

/**
 * The tree of a snapshot; see `TreeSource.snapshot`.
 *
 * @category trees
 * @since 0.1.0
 */
export const snapshotTree = (file: string, options?: TreeSource.SnapshotOptions, call?: CallOptions): Promise<Source> =>
  run(TreeSource.snapshot(file, options), call)

/**
 * The tree of a data directory; see `TreeSource.dataDirectory`.
 *
 * @category trees
 * @since 0.1.0
 */
export const directoryTree = (
  directory: string,
  options?: TreeSource.DirectoryOptions,
  call?: CallOptions
): Promise<Source> => run(TreeSource.dataDirectory(directory, options), call)

/**
 * Reads the tree of an ensemble into one file; see `Backup.make`.
 *
 * @example
 * ```ts
 * import { PromiseClient } from "@effect-zookeeper/client"
 * import { backup, backupTree, planRestore, restore } from "@effect-zookeeper/storage/Promise"
 *
 * await using zk = await PromiseClient.connect("zk1:2181")
 * await backup(zk, "/backups/app.ndjson.gz", { path: "/app" })
 *
 * await using other = await PromiseClient.connect("other1:2181")
 * const source = await backupTree("/backups/app.ndjson.gz")
 * for await (const step of planRestore(other, source)) console.log(step)
 * await restore(other, source)
 * ```
 *
 * @category trees
 * @since 0.1.0
 */
export const backup = (
  zk: PromiseClient,
  file: string,
  options?: OfPromises<Backup.Options>,
  call?: CallOptions
): Promise<Backup.Result> => onClient(zk, (service) => Backup.make(service, file, withReaders(options)), call)

/**
 * Writes any tree that does not change into a backup file; see `BackupFile.write`.
 *
 * @category trees
 * @since 0.1.0
 */
export const writeBackup = (
  file: string,
  source: Source,
  options?: BackupFile.WriteOptions,
  call?: CallOptions
): Promise<BackupFile.Header> => run(BackupFile.write(file, source, options), call)

/**
 * A dry run of {@link restore}; see `Restore.plan`.
 *
 * @category trees
 * @since 0.1.0
 */
export const planRestore = (
  zk: PromiseClient,
  source: Source,
  options?: OfPromises<Restore.Options>,
  call?: CallOptions
): AsyncIterable<Restore.Step> =>
  iterableOf(
    zk.run,
    Stream.unwrap(
      Effect.map(ZooKeeper.ZooKeeper, (service) => Restore.plan(source, service, withReaders(options)))
    ).pipe(Stream.provide(NodeFileSystem.layer)),
    call
  )

/**
 * Writes a tree into an ensemble; see `Restore.run`. A copy from one ensemble to another is the restore of a {@link liveTree}.
 *
 * @category trees
 * @since 0.1.0
 */
export const restore = (
  zk: PromiseClient,
  source: Source,
  options?: OfPromises<Restore.RunOptions>,
  call?: CallOptions
): Promise<Restore.Summary> => onClient(zk, (service) => Restore.run(source, service, withReaders(options)), call)

/**
 * The differences of two trees; see `Diff.compare`.
 *
 * @category trees
 * @since 0.1.0
 */
export const diff = (
  left: Source,
  right: Source,
  options?: Diff.Options,
  call?: CallOptions
): AsyncIterable<Diff.Difference> => iterable(Diff.compare(left, right, options), call)

/**
 * Keeps a copy of a live tree current, until the signal is aborted; see `Mirror.run`.
 *
 * @category trees
 * @since 0.1.0
 */
export const mirror = (
  from: PromiseClient,
  to: PromiseClient,
  options?: Mirror.Options,
  call?: CallOptions
): Promise<never> =>
  from
    .run(ZooKeeper.ZooKeeper, call)
    .then((source) => onClient(to, (target) => Mirror.run(source, target, options), call))

// ---- internal

const knownCall = KnownOptions.make<CallOptions>({ signal: true }, "{ signal }")

/** Other options in their place would be ignored. */
const mistakeIn = (call: CallOptions | undefined): InvalidArgument | undefined => {
  const signal: unknown = call?.signal
  return (
    KnownOptions.check(knownCall, call, "call") ??
    (signal === undefined || signal instanceof AbortSignal
      ? undefined
      : new InvalidArgument({ argument: "call", value: typeof signal, rule: "a signal must be an AbortSignal" }))
  )
}

const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem>, call: CallOptions | undefined): Promise<A> => {
  const mistake = mistakeIn(call)
  return mistake === undefined
    ? Effect.runPromise(Effect.provide(effect, NodeFileSystem.layer), call)
    : Promise.reject(mistake)
}

const iterable = <A, E>(
  stream: Stream.Stream<A, E, FileSystem.FileSystem>,
  call: CallOptions | undefined
): AsyncIterable<A> => iterableOf(Effect.runPromise, Stream.provide(stream, NodeFileSystem.layer), call)

const iterableOf = <A, E, R>(
  runner: PromiseAdapter.Run<R>,
  stream: Stream.Stream<A, E, R>,
  call: CallOptions | undefined
): AsyncIterable<A> => {
  const mistake = mistakeIn(call)
  return mistake === undefined
    ? PromiseAdapter.iterable(runner, stream, call)
    : PromiseAdapter.iterable(Effect.runPromise, Stream.fail(mistake))
}

/** The same options with the services of their clients. Other values are left to the rule of the option. */
const withReaders = <O extends TreeSource.AclReaders>(options: OfPromises<O> | undefined): O | undefined => {
  const clients: unknown = options?.aclReaders
  if (!Array.isArray(clients)) return options as unknown as O | undefined
  const changed: unknown = { ...options, aclReaders: clients.map(serviceOf) }
  return changed as O
}

const serviceOf = (client: PromiseClient | undefined) => client?.runSync?.(ZooKeeper.ZooKeeper)

const onClient = <A, E>(
  zk: PromiseClient,
  effect: (service: ZooKeeper.Service) => Effect.Effect<A, E, FileSystem.FileSystem>,
  call: CallOptions | undefined
): Promise<A> => zk.run(Effect.provide(Effect.flatMap(ZooKeeper.ZooKeeper, effect), NodeFileSystem.layer), call)
