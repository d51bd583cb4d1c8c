export * as ZooKeeperEnsemble from "./ZooKeeperEnsemble.ts"
export * as ZooKeeperError from "./ZooKeeperError.ts"
export * as ZooKeeperInstall from "./ZooKeeperInstall.ts"
export * as ZooKeeperServer from "./ZooKeeperServer.ts"
