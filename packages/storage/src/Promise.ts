/**
 * The functions of this package as Promises and AsyncIterables, on Node's files.
 *
 * A Promise rejects, and a loop throws, with the error of the Effect: `FileAccessError`, `MalformedFile` or
 * `IncompleteDirectory`. Leaving a loop closes the file.
 *
 * @since 0.1.0
 */
import * as PromiseAdapter from "@effect-zookeeper/client/PromiseAdapter"
import type { CallOptions } from "@effect-zookeeper/client/PromiseAdapter"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as DataDirectory from "./DataDirectory.ts"
import * as Snapshot from "./Snapshot.ts"
import type { Transaction } from "./Transaction.ts"
import * as TransactionLog from "./TransactionLog.ts"
import type { Tree } from "./Tree.ts"

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

// ---- internal

const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem>, call: CallOptions | undefined): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, NodeFileSystem.layer), call)

const iterable = <A, E>(
  stream: Stream.Stream<A, E, FileSystem.FileSystem>,
  call: CallOptions | undefined
): AsyncIterable<A> => PromiseAdapter.iterable(Effect.runPromise, Stream.provide(stream, NodeFileSystem.layer), call)
