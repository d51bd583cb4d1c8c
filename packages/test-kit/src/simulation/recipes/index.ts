/**
 * A scenario for each recipe, by its name.
 *
 * @since 0.1.0
 */
export * from "./locks.ts"
export * from "./sharing.ts"
