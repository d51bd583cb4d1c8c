/**
 * The console of ZooKeeper: a page, and the server behind it.
 *
 * @since 0.1.0
 */
export type * as Cluster from "./Cluster.ts"
export * as ConsoleServer from "./ConsoleServer.ts"
export * as EnsembleModels from "./EnsembleModels.ts"
export * as Format from "./Format.ts"
export * as Models from "./Models.ts"
export * as PageFiles from "./PageFiles.ts"
export * as Protocol from "./Protocol.ts"
export * as ProtocolError from "./ProtocolError.ts"
export * as SearchModels from "./SearchModels.ts"
export * as SessionModels from "./SessionModels.ts"
