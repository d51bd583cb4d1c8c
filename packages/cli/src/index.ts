/**
 * The parts of `zk`, the command line of ZooKeeper, that programs can use as well.
 *
 * @since 0.1.0
 */
export * as ExitCode from "./ExitCode.ts"
export * as MultiFile from "./MultiFile.ts"
export * as Output from "./Output.ts"
export * as Profile from "./Profile.ts"
export * as Quota from "./Quota.ts"
export * as TreeWalk from "./TreeWalk.ts"
export * as ZnodeData from "./ZnodeData.ts"
