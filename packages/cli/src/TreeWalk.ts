/**
 * A walk over a subtree. The module of the client package, for programs that have it from here.
 *
 * @since 0.1.0
 */
export * from "@effect-zookeeper/client/TreeWalk"
