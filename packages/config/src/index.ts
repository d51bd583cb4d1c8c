/**
 * Configuration in ZooKeeper, for Effect applications and as Promises.
 *
 * @since 0.1.0
 */
export type * as DataDecoder from "./DataDecoder.ts"
export * as LiveConfig from "./LiveConfig.ts"
export * as Snapshot from "./Snapshot.ts"
export * as SnapshotFile from "./SnapshotFile.ts"
export * as ZooKeeperConfigProvider from "./ZooKeeperConfigProvider.ts"
