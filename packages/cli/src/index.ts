/**
 * The parts of `zk`, the command line of ZooKeeper, that programs can use as well.
 *
 * @since 0.1.0
 */
export * as AdminServer from "./AdminServer.ts"
export * as Canary from "./Canary.ts"
export * as Diagnosis from "./Diagnosis.ts"
export * as ExitCode from "./ExitCode.ts"
export * as FourLetterWords from "./FourLetterWords.ts"
export * as MemberStatus from "./MemberStatus.ts"
export * as MultiFile from "./MultiFile.ts"
export * as Output from "./Output.ts"
export * as Profile from "./Profile.ts"
export * as Quota from "./Quota.ts"
export * as ServerAnswers from "./ServerAnswers.ts"
export * as StorageOutput from "./StorageOutput.ts"
export * as TreeWalk from "./TreeWalk.ts"
export * as ZnodeData from "./ZnodeData.ts"
