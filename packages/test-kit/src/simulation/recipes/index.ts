/** A scenario for each recipe, by its name. */
export * from "./barriers.ts"
export * from "./caches.ts"
export * from "./configuration.ts"
export * from "./counters.ts"
export * from "./locks.ts"
export * from "./membership.ts"
export * from "./queues.ts"
export * from "./sharing.ts"
