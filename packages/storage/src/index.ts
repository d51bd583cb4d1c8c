/**
 * ZooKeeper's own files: its snapshots and transaction logs, and the tree that they hold.
 *
 * @since 0.1.0
 */
export * as DataDirectory from "./DataDirectory.ts"
export * as Snapshot from "./Snapshot.ts"
export * from "./StorageError.ts"
export type * from "./Transaction.ts"
export * as TransactionLog from "./TransactionLog.ts"
export type * from "./Tree.ts"
export * as Znode from "./Znode.ts"
