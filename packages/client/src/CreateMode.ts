/**
 * The kinds of znode that `create` makes. The module of the protocol package, for applications and packages that depend on
 * the client alone.
 *
 * @since 0.1.0
 */
export * from "@effect-zookeeper/protocol/CreateMode"
