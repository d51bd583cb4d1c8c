/** The queue of numbers that tests of queues share. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Queue from "../src/Queue.ts"
import { by } from "./targets.ts"

export const numbers = (zk: ZooKeeper.Service, options: Omit<Queue.BytesOptions, "schema"> = {}) =>
  by(zk)(Queue.make("/queue", { schema: Schema.Int, ...options }))

/** What is worked on; their parent may have been reaped. */
export const marksOf = (zk: ZooKeeper.Service) =>
  zk.getChildren("/queue-taken").pipe(Effect.catchTag("NoNode", () => Effect.succeed<ReadonlyArray<string>>([])))

/** From 0 upwards. */
export const upTo = (n: number) => Array.from({ length: n }, (_, index) => index)
