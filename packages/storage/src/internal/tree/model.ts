/** The files of a server, and a tree that was put together from them. */
import type { ReadOptions } from "../../Snapshot.ts"
import type { MalformedFile } from "../../StorageError.ts"
import type { Tree } from "../../Tree.ts"
import type { TreeLimits } from "./MutableTree.ts"

/**
 * A snapshot or log of a folder. Its zxid is that in its name: the last transaction before a snapshot was begun, or the first
 * transaction of a log.
 *
 * @category models
 * @since 0.1.0
 */
export interface DataFile {
  readonly path: string
  readonly zxid: bigint
}

/**
 * Options of `treeAt` and `transactions`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends ReadOptions {
  /** The folder of the logs, if the servers have a `dataLogDir`. Default: the folder of the snapshots. */
  readonly logDirectory?: string | undefined
}

/**
 * Options of `treeAt`.
 *
 * @category options
 * @since 0.1.0
 */
export interface TreeOptions extends Options, TreeLimits {
  /** The last transaction of the tree. Default: the last one that the logs have. */
  readonly zxid?: bigint | undefined
  /**
   * The time of the tree, in milliseconds since 1970, in place of `zxid`: the last transaction is the last one that the leaders have
   * made by then, by their clocks. Clocks of different leaders may differ.
   */
  readonly time?: number | undefined
}

/**
 * A tree, and how it was put together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Restored {
  readonly tree: Tree
  /** The snapshot from which the tree was made; undefined if the logs begin with the first transaction. */
  readonly snapshot: DataFile | undefined
  /** How many transactions were replayed. */
  readonly transactions: number
  /** Snapshots that could not be used, the newest first, with the reason. A server that starts passes over them, too. */
  readonly unusable: ReadonlyArray<MalformedFile>
  /**
   * The incomplete transaction at the end of the last log, or the incomplete header of that log, where the tree is that of the end;
   * servers ignore it as well.
   */
  readonly partial: MalformedFile | undefined
  /**
   * Whether the digests in the files agree with the tree. `None`: there are no digests to compare, as before ZooKeeper 3.6.
   * `Different`: from the transaction `zxid` on, none agrees. Servers go on then, and count it. One that differs before others
   * that agree is ignored: servers write such ones for some transactions that fail.
   */
  readonly digest:
    | { readonly _tag: "Same" }
    | { readonly _tag: "None" }
    | { readonly _tag: "Different"; readonly zxid: bigint }
}
