/**
 * The ZooKeeper client, for Effect applications and as Promises.
 *
 * @since 0.1.0
 */
export * as Acl from "@effect-zookeeper/protocol/Acl"
export * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
export * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
export * as Sasl from "@effect-zookeeper/session/Sasl"
export * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
export * as Guid from "./Guid.ts"
export type * as Interceptor from "./Interceptor.ts"
export * as Op from "./Op.ts"
export * as Outcome from "./Outcome.ts"
export * as PromiseClient from "./PromiseClient.ts"
export * as PromiseAdapter from "./PromiseAdapter.ts"
export * as ZNode from "./ZNode.ts"
export * as ZooKeeper from "./ZooKeeper.ts"

export * from "./Errors.ts"
export { ZNodeDecodeError } from "./ZNode.ts"
