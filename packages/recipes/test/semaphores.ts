/** The semaphore that tests of semaphores share. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type { Held } from "../src/Held.ts"
import * as Semaphore from "../src/Semaphore.ts"
import { awaitChildren, holdBy } from "./holds.ts"
import { by } from "./targets.ts"

export const at = (
  zk: ZooKeeper.Service,
  permits: number | Semaphore.SharedPermits,
  options?: Partial<Semaphore.Options>
) => by(zk)(Semaphore.make("/semaphore", { permits, ...options }))

/** Holds permits until told to go. */
export const hold = (
  semaphore: Semaphore.Semaphore,
  permits = 1,
  options?: Parameters<Semaphore.Semaphore["acquire"]>[0]
) => holdBy((body: (held: ReadonlyArray<Held>) => Effect.Effect<void>) => semaphore.withPermits(permits, body, options))

export const leases = (zk: ZooKeeper.Service, count: number) => awaitChildren(zk, "/semaphore/leases", count)

export const isEmpty = (zk: ZooKeeper.Service) =>
  Effect.andThen(leases(zk, 0), awaitChildren(zk, "/semaphore/locks", 0))
