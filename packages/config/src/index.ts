/**
 * Configuration in ZooKeeper, for Effect applications and as Promises.
 *
 * The Promise API is in `@effect-zookeeper/config/Promise`.
 *
 * @since 0.1.0
 */
export type * from "./DataDecoder.ts"
export * as Encryption from "./Encryption.ts"
export * as LiveConfig from "./LiveConfig.ts"
export * as Snapshot from "./Snapshot.ts"
export * as SnapshotFile from "./SnapshotFile.ts"
export * as ZooKeeperAtom from "./ZooKeeperAtom.ts"
export * as ZooKeeperConfigProvider from "./ZooKeeperConfigProvider.ts"
export * as ZooKeeperKeyValueStore from "./ZooKeeperKeyValueStore.ts"
export * as ZooKeeperReactivity from "./ZooKeeperReactivity.ts"
