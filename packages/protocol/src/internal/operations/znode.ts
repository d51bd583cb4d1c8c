/**
 * The rows of the operation table that act on one znode, and those that ask about many.
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

/** @since 0.1.0 */
export const create = Operation.make({
  name: "create",
  opCode: 1,
  kind: "write",
  request: Jute.codec(Records.CreateRequest),
  response: Jute.codec(Records.PathResponse),
  errors: createErrors,
  since: "3.0.0"
})

/** Answers with the Stat too. @since 0.1.0 */
export const create2 = Operation.make({
  name: "create2",
  opCode: 15,
  kind: "write",
  request: Jute.codec(Records.CreateRequest),
  response: Jute.codec(Records.Create2Response),
  errors: createErrors,
  since: "3.5.0"
})

/** The only operation that makes a container: create with the container flag makes a plain znode. @since 0.1.0 */
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
 * Only flags 5 and 6 with a TTL of 1 to 2^40 - 1 may be sent: others can stop a server for good (seen with 3.8.0).
 *
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

/** @since 0.1.0 */
export const deleteNode = Operation.make({
  name: "delete",
  opCode: 2,
  kind: "write",
  request: Jute.codec(Records.DeleteRequest),
  response: Jute.empty,
  errors: ["NoNode", "NoAuth", "BadVersion", "NotEmpty"],
  since: "3.0.0"
})

/** Needs no permission before 3.8.4 and 3.9.2. @since 0.1.0 */
export const exists = Operation.make({
  name: "exists",
  opCode: 3,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.StatResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/** @since 0.1.0 */
export const getData = Operation.make({
  name: "getData",
  opCode: 4,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.GetDataResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/** @since 0.1.0 */
export const setData = Operation.make({
  name: "setData",
  opCode: 5,
  kind: "write",
  request: Jute.codec(Records.SetDataRequest),
  response: Jute.codec(Records.StatResponse),
  errors: ["NoNode", "NoAuth", "BadVersion", "QuotaExceeded"],
  since: "3.0.0"
})

/** @since 0.1.0 */
export const getACL = Operation.make({
  name: "getACL",
  opCode: 6,
  kind: "read",
  request: Jute.codec(Records.PathRequest),
  response: Jute.codec(Records.GetACLResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/** @since 0.1.0 */
export const setACL = Operation.make({
  name: "setACL",
  opCode: 7,
  kind: "write",
  request: Jute.codec(Records.SetACLRequest),
  response: Jute.codec(Records.StatResponse),
  errors: ["NoNode", "NoAuth", "InvalidACL", "BadVersion"],
  since: "3.0.0"
})

/** @since 0.1.0 */
export const getChildren = Operation.make({
  name: "getChildren",
  opCode: 8,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.GetChildrenResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.0.0"
})

/** Answers with the Stat too. @since 0.1.0 */
export const getChildren2 = Operation.make({
  name: "getChildren2",
  opCode: 12,
  kind: "read",
  request: Jute.codec(Records.WatchedReadRequest),
  response: Jute.codec(Records.GetChildren2Response),
  errors: ["NoNode", "NoAuth"],
  since: "3.3.0"
})

/** Only within multi: a lone check goes unanswered or is refused, by release. @since 0.1.0 */
export const check = Operation.make({
  name: "check",
  opCode: 13,
  kind: "write",
  request: Jute.codec(Records.CheckVersionRequest),
  response: Jute.empty,
  errors: ["NoNode", "NoAuth", "BadVersion"],
  since: "3.4.0"
})

/** Changes nothing, and so may be asked again. @since 0.1.0 */
export const sync = Operation.make({
  name: "sync",
  opCode: 9,
  kind: "read",
  request: Jute.codec(Records.PathRequest),
  response: Jute.codec(Records.PathResponse),
  since: "3.0.0"
})

/** @since 0.1.0 */
export const getEphemerals = Operation.make({
  name: "getEphemerals",
  opCode: 103,
  kind: "read",
  request: Jute.codec(Records.GetEphemeralsRequest),
  response: Jute.codec(Records.GetEphemeralsResponse),
  since: "3.6.0"
})

/** @since 0.1.0 */
export const getAllChildrenNumber = Operation.make({
  name: "getAllChildrenNumber",
  opCode: 104,
  kind: "read",
  request: Jute.codec(Records.PathRequest),
  response: Jute.codec(Records.GetAllChildrenNumberResponse),
  errors: ["NoNode", "NoAuth"],
  since: "3.6.0"
})

/** @since 0.1.0 */
export const reconfig = Operation.make({
  name: "reconfig",
  opCode: 16,
  kind: "write",
  request: Jute.codec(Records.ReconfigRequest),
  response: Jute.codec(Records.GetDataResponse),
  errors: ["NewConfigNoQuorum", "ReconfigInProgress", "BadVersion", "NoAuth"],
  since: "3.5.0"
})
