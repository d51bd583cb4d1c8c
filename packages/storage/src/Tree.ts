/**
 * The znodes and sessions of an ensemble at one moment, as its files tell them.
 *
 * @since 0.1.0
 */
import type { Znode } from "./Znode.ts"

/**
 * The znodes and sessions after the transaction `zxid`. It is not changed.
 *
 * The znodes below `/zookeeper/quota` that count the use of a quota are as the snapshot has them: servers count anew when they
 * start, and log nothing of it.
 *
 * `JSON.stringify` writes no znodes of it: only `zxid`, `size` and `digest`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tree {
  /** The last transaction that is in the tree. */
  readonly zxid: bigint
  /** The number of znodes, with the root and `/zookeeper`. */
  readonly size: number
  /** The znode at a path; undefined if there is none. */
  readonly get: (path: string) => Znode | undefined
  /** The names of the children of a path; empty if there is no such znode. */
  readonly children: (path: string) => ReadonlySet<string>
  /** All znodes, parents before their children. */
  readonly entries: () => IterableIterator<Znode>
  /** The timeouts of all sessions, in milliseconds, by the session's id. */
  readonly sessions: ReadonlyMap<bigint, number>
  /** The digest of the tree as ZooKeeper has computed it since 3.6 (version 2). */
  readonly digest: bigint
}
