/** The modules of the client, which are loaded together when a command connects. */
export * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
export * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
