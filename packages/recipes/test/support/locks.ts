/** The lock that the tests of locks share, and what is left of it. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type { Held } from "../../src/Held.ts"
import * as Lock from "../../src/Lock.ts"
import { awaitChildren } from "./holds.ts"
import { withClient } from "./targets.ts"

export const makeLock = (zk: ZooKeeper.Service, options?: Lock.Options) => withClient(zk)(Lock.make("/lock", options))

/** Gives away what is held. */
export const succeedWithHeld = (held: Held) => Effect.succeed(held)

/** Waits until its queue is empty. */
export const awaitNoContenders = (zk: ZooKeeper.Service) => awaitChildren(zk, "/lock", 0)
