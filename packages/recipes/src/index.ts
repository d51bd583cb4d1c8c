/**
 * Locks, elections, queues, caches and more, on the public API of the client.
 *
 * @since 0.1.0
 */
export * as Allocator from "./Allocator.ts"
export * as AtomicValue from "./AtomicValue.ts"
export * as Barrier from "./Barrier.ts"
export type * from "./CacheEvent.ts"
export * from "./Change.ts"
export * as ChildrenCache from "./ChildrenCache.ts"
export * as Counter from "./Counter.ts"
export * as DoubleBarrier from "./DoubleBarrier.ts"
export type * from "./Held.ts"
export type * as HeldLayer from "./HeldLayer.ts"
export * as IdGenerator from "./IdGenerator.ts"
export * as Layouts from "./Layouts.ts"
export * as LeaderElection from "./LeaderElection.ts"
export * as Lease from "./Lease.ts"
export * as Lock from "./Lock.ts"
export * as NodeCache from "./NodeCache.ts"
export * as Party from "./Party.ts"
export * as PersistentNode from "./PersistentNode.ts"
export * as PriorityQueue from "./PriorityQueue.ts"
export * as Queue from "./Queue.ts"
export * as ReadWriteLock from "./ReadWriteLock.ts"
export * as Semaphore from "./Semaphore.ts"
export * as ServiceDiscovery from "./ServiceDiscovery.ts"
export * as Snowflake from "./Snowflake.ts"
export * as Stm from "./Stm.ts"
export * as TreeCache from "./TreeCache.ts"
export * as WorkerId from "./WorkerId.ts"

export * from "./Errors.ts"
