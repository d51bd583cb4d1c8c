/**
 * Paths of znodes: their rules, parts and numbers. The module of the protocol package, for applications and packages that
 * depend on the client alone.
 *
 * @since 0.1.0
 */
export * from "@effect-zookeeper/protocol/ZnodePath"
