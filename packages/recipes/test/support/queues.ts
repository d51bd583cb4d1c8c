/** The queue of numbers that tests of queues share. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Schema from "effect/Schema"
import * as Queue from "../../src/Queue.ts"
import { getChildrenOrNone } from "./holds.ts"
import { withClient } from "./targets.ts"

export const makeNumberQueue = (zk: ZooKeeper.Service, options: Omit<Queue.BytesOptions, "schema"> = {}) =>
  withClient(zk)(Queue.make("/queue", { schema: Schema.Int, ...options }))

/** The items that are being worked on; their parent may have been reaped. */
export const getLockedItems = (zk: ZooKeeper.Service) => getChildrenOrNone(zk, "/queue-taken")
