/** The semaphore that tests of semaphores share. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type { Held } from "../../src/Held.ts"
import * as Semaphore from "../../src/Semaphore.ts"
import { awaitChildren, holdUntilReleased } from "./holds.ts"
import { awaitNoWatches, withClient } from "./targets.ts"

export const makeSemaphore = (
  zk: ZooKeeper.Service,
  permits: number | Semaphore.SharedPermits,
  options?: Partial<Semaphore.Options>
) => withClient(zk)(Semaphore.make("/semaphore", { permits, ...options }))

/** Holds permits until told to go. */
export const holdPermits = (
  semaphore: Semaphore.Semaphore,
  permits = 1,
  options?: Parameters<Semaphore.Semaphore["acquire"]>[0]
) =>
  holdUntilReleased((body: (held: ReadonlyArray<Held>) => Effect.Effect<void>) =>
    semaphore.withPermits(permits, body, options)
  )

export const awaitLeases = (zk: ZooKeeper.Service, count: number) => awaitChildren(zk, "/semaphore/leases", count)

export const awaitNoPermits = (zk: ZooKeeper.Service, watches?: Effect.Effect<number>) =>
  Effect.all([awaitLeases(zk, 0), awaitChildren(zk, "/semaphore/locks", 0), awaitNoWatches(watches)])
