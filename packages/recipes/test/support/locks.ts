/** The locks that the tests of locks share. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type { Held } from "../../src/Held.ts"
import * as Lock from "../../src/Lock.ts"
import * as ReadWriteLock from "../../src/ReadWriteLock.ts"
import { awaitChildren } from "./holds.ts"
import { awaitNoWatches, withClient } from "./targets.ts"

export const makeLock = (zk: ZooKeeper.Service, options?: Lock.Options) => withClient(zk)(Lock.make("/lock", options))

export const makeReadWriteLock = (zk: ZooKeeper.Service, options?: ReadWriteLock.Options) =>
  withClient(zk)(ReadWriteLock.make("/rw", options))

/** Waits until so many readers and writers hold it or wait for it. */
export const awaitReadersAndWriters = (zk: ZooKeeper.Service, count: number) => awaitChildren(zk, "/rw", count)

/** Gives away what is held. */
export const succeedWithHeld = (held: Held) => Effect.succeed(held)

/** Waits until no reader and no writer holds it or waits for it, and until no watch is left where these are given. */
export const awaitNoReadersAndWriters = (zk: ZooKeeper.Service, watches?: Effect.Effect<number>) =>
  Effect.andThen(awaitReadersAndWriters(zk, 0), awaitNoWatches(watches))

/** The same of a lock. */
export const awaitNoContenders = (zk: ZooKeeper.Service, watches?: Effect.Effect<number>) =>
  Effect.andThen(awaitChildren(zk, "/lock", 0), awaitNoWatches(watches))
