/**
 * Access control lists: who may do what to one znode. The module of the protocol package, for applications and packages
 * that depend on the client alone.
 *
 * @since 0.1.0
 */
export * from "@effect-zookeeper/protocol/Acl"
