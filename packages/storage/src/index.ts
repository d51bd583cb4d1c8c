/**
 * ZooKeeper's own files: its snapshots and transaction logs, and the tree that they hold; and backups of live trees, restored,
 * copied, compared and mirrored.
 *
 * @since 0.1.0
 */
export * as Backup from "./Backup.ts"
export * as BackupFile from "./BackupFile.ts"
export * as DataDirectory from "./DataDirectory.ts"
export * as Diff from "./Diff.ts"
export * as Mirror from "./Mirror.ts"
export type * from "./Progress.ts"
export * as Restore from "./Restore.ts"
export * as Snapshot from "./Snapshot.ts"
export * from "./StorageError.ts"
export type * from "./Transaction.ts"
export * as TransactionLog from "./TransactionLog.ts"
export type * from "./Tree.ts"
export * as TreeSource from "./TreeSource.ts"
export * as Znode from "./Znode.ts"
