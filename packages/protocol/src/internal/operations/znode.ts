/**
 * The rows of the operation table that read or change znodes, and reconfig.
 *
 * @since 0.1.0
 */
import * as Jute from "../../Jute.ts"
import * as Operation from "../../Operation.ts"
import * as Records from "../../Records.ts"

const createErrors = [
  "NodeExists",
  "NoNode",
  "NoAuth",
  "InvalidACL",
  "NoChildrenForEphemerals",
  "QuotaExceeded"
] as const

/**
 * Creates a znode, and answers with its path.
 *
 * @category operations
 * @since 0.1.0
 */
export const create = Operation.make({
  name: "create",
  opCode: 1,
  kind: "write",
  request: Jute.codec(Records.CreateRequest),
  response: Jute.codec(Records.PathResponse),
  errors: createErrors,
  since: "3.0.0"
})

/**
 * Creates a znode, and answers with its path and Stat. Since ZooKeeper 3.5.
 *
 * @category operations
 * @since 0.1.0
 */
export const create2 = Operation.make({
  name: "create2",
  opCode: 15,
  kind: "write",
  request: Jute.codec(Records.CreateRequest),
  response: Jute.codec(Records.Create2Response),
  errors: createErrors,
  since: "3.5.0"
})

/**
 * Creates a container. It is the only operation that does: create with the container flag makes a plain znode. Since
 * ZooKeeper 3.5.1.
 *
 * @category operations
 * @since 0.1.0
 */
export const createContainer = Operation.make({
  name: "createContainer",
  opCode: 19,
  kind: "write",
  request: Jute.codec(Records.CreateRequest),
  response: Jute.codec(Records.Create2Response),
  errors: createErrors,
  since: "3.5.1"
})

/**
 * Creates a znode with a time to live. Only flags 5 and 6 with a TTL of 1 to 2^40 - 1 may be sent: others can stop a server
 * for good (seen with 3.8.0). Since ZooKeeper 3.5.3.
 *
 * @category operations
 * @since 0.1.0
 */
export const createTTL = Operation.make({
  name: "createTTL",
  opCode: 21,
  kind: "write",
  request: Jute.codec(Records.CreateTTLRequest),
  response: Jute.codec(Records.Create2Response),
  errors: createErrors,
  since: "3.5.3"
})

/**
 * Deletes a znode without children. Its name in the protocol is `delete`.
 *
 * @category operations
 * @since 0.1.0
 */
export const deleteNode = Operation.make({
  name: "delete",
  opCode: 2,
  kind: "write",
  request: Jute.codec(Records.DeleteRequest),
  response: Jute.empty,
  errors: ["NoNode", "NoAuth", "BadVersion", "NotEmpty"],
  since: "3.0.0"
})

/**
 * The Stat of a znode. It needs no permission before 3.8.4 and 3.9.2, and READ since then.
 *
 * @category operations
 * @since 0.1.0
 */
export const exists = Operation.make({
  name: "exists",
  opCode: 3,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.StatResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/**
 * The data and Stat of a znode.
 *
 * @category operations
 * @since 0.1.0
 */
export const getData = Operation.make({
  name: "getData",
  opCode: 4,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.GetDataResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/**
 * Replaces the data of a znode.
 *
 * @category operations
 * @since 0.1.0
 */
export const setData = Operation.make({
  name: "setData",
  opCode: 5,
  kind: "write",
  request: Jute.codec(Records.SetDataRequest),
  response: Jute.codec(Records.StatResponse),
  errors: ["NoNode", "NoAuth", "BadVersion", "QuotaExceeded"],
  since: "3.0.0"
})

/**
 * The access control list and Stat of a znode.
 *
 * @category operations
 * @since 0.1.0
 */
export const getACL = Operation.make({
  name: "getACL",
  opCode: 6,
  kind: "read",
  request: Jute.codec(Records.PathRequest),
  response: Jute.codec(Records.GetACLResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/**
 * Replaces the access control list of a znode.
 *
 * @category operations
 * @since 0.1.0
 */
export const setACL = Operation.make({
  name: "setACL",
  opCode: 7,
  kind: "write",
  request: Jute.codec(Records.SetACLRequest),
  response: Jute.codec(Records.StatResponse),
  errors: ["NoNode", "NoAuth", "InvalidACL", "BadVersion"],
  since: "3.0.0"
})

/**
 * The names of the children of a znode.
 *
 * @category operations
 * @since 0.1.0
 */
export const getChildren = Operation.make({
  name: "getChildren",
  opCode: 8,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.GetChildrenResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/**
 * The names of the children of a znode, and its Stat. Since ZooKeeper 3.3.
 *
 * @category operations
 * @since 0.1.0
 */
export const getChildren2 = Operation.make({
  name: "getChildren2",
  opCode: 12,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.GetChildren2Response),
  errors: ["NoNode", "NoAuth"],
  since: "3.3.0"
})

/**
 * Checks the version of a znode, in a transaction only: outside of one, servers refuse it or do not answer, depending on
 * the release. Since ZooKeeper 3.4.
 *
 * @category operations
 * @since 0.1.0
 */
export const check = Operation.make({
  name: "check",
  opCode: 13,
  kind: "write",
  request: Jute.codec(Records.CheckVersionRequest),
  response: Jute.empty,
  errors: ["NoNode", "NoAuth", "BadVersion"],
  since: "3.4.0"
})

/**
 * Waits until the server has applied all transactions that the leader had committed before. It changes nothing, and so can
 * be sent again.
 *
 * @category operations
 * @since 0.1.0
 */
export const sync = Operation.make({
  name: "sync",
  opCode: 9,
  kind: "read",
  request: Jute.codec(Records.PathRequest),
  response: Jute.codec(Records.PathResponse),
  since: "3.0.0"
})

/**
 * The paths of the ephemeral znodes of this session. Since ZooKeeper 3.6.
 *
 * @category operations
 * @since 0.1.0
 */
export const getEphemerals = Operation.make({
  name: "getEphemerals",
  opCode: 103,
  kind: "read",
  request: Jute.codec(Records.GetEphemeralsRequest),
  response: Jute.codec(Records.GetEphemeralsResponse),
  since: "3.6.0"
})

/**
 * The number of all descendants of a znode. Since ZooKeeper 3.6.
 *
 * @category operations
 * @since 0.1.0
 */
export const getAllChildrenNumber = Operation.make({
  name: "getAllChildrenNumber",
  opCode: 104,
  kind: "read",
  request: Jute.codec(Records.PathRequest),
  response: Jute.codec(Records.GetAllChildrenNumberResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.6.0"
})

/**
 * Changes the members of the ensemble, and answers with the new configuration. Since ZooKeeper 3.5.
 *
 * @category operations
 * @since 0.1.0
 */
export const reconfig = Operation.make({
  name: "reconfig",
  opCode: 16,
  kind: "write",
  request: Jute.codec(Records.ReconfigRequest),
  response: Jute.codec(Records.GetDataResponse),
  errors: ["NewConfigNoQuorum", "ReconfigInProgress", "BadVersion", "NoAuth"],
  since: "3.5.0"
})
