/**
 * Effect Cluster on ZooKeeper.
 *
 * @since 0.1.0
 */
export * from "./Errors.ts"
export * as ZooKeeperRunnerHealth from "./ZooKeeperRunnerHealth.ts"
export * as ZooKeeperRunnerStorage from "./ZooKeeperRunnerStorage.ts"
