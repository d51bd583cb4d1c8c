/**
 * The ZooKeeper client for Effect applications, and for everyone else as Promises.
 *
 * @since 0.1.0
 */
export * as Acl from "@effect-zookeeper/protocol/Acl"
export * as Op from "./Op.ts"
export * as ZooKeeper from "./ZooKeeper.ts"

export * from "./Errors.ts"
