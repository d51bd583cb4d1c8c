/**
 * The check of the names of options. The module of the protocol package, for recipes.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
export * from "@effect-zookeeper/protocol/KnownOptions"
