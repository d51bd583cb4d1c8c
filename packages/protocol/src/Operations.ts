/**
 * The operation table: every operation that a client may send, up to ZooKeeper 3.9, each defined once.
 *
 * It does not have the op codes that servers use among themselves: -10 createSession, 20 deleteContainer, 0 notification.
 *
 * @since 0.1.0
 */
import type * as Operation from "./Operation.ts"
import * as Multi from "./internal/operations/multi.ts"
import * as Session from "./internal/operations/session.ts"
import * as Znode from "./internal/operations/znode.ts"

export * from "./internal/operations/multi.ts"
export * from "./internal/operations/session.ts"
export * from "./internal/operations/znode.ts"

/**
 * All rows of the table, in the order of their op codes, closeSession (-11) last.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyArray<Operation.Any> = [
  Znode.create,
  Znode.deleteNode,
  Znode.exists,
  Znode.getData,
  Znode.setData,
  Znode.getACL,
  Znode.setACL,
  Znode.getChildren,
  Znode.sync,
  Session.ping,
  Znode.getChildren2,
  Znode.check,
  Multi.multi,
  Znode.create2,
  Znode.reconfig,
  Session.checkWatches,
  Session.removeWatches,
  Znode.createContainer,
  Znode.createTTL,
  Multi.multiRead,
  Session.auth,
  Session.setWatches,
  Session.sasl,
  Znode.getEphemerals,
  Znode.getAllChildrenNumber,
  Session.setWatches2,
  Session.addWatch,
  Session.whoAmI,
  Session.closeSession
]

const rows: ReadonlyMap<number, Operation.Any> = new Map(all.map((row) => [row.opCode, row]))

/**
 * The row of an op code; undefined if the table has none.
 *
 * @category getters
 * @since 0.1.0
 */
export const byOpCode = (opCode: number): Operation.Any | undefined => rows.get(opCode)
