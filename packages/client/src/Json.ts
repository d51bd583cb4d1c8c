/**
 * Answers and errors as JSON. The module of the protocol package, for recipes.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
export * from "@effect-zookeeper/protocol/Json"
