/**
 * The rows of the operation table that are about a session or one of its connections: heartbeats, identities, watches.
 *
 * @since 0.1.0
 */
import * as Jute from "../../Jute.ts"
import * as Operation from "../../Operation.ts"
import * as Records from "../../Records.ts"

/**
 * The xids with a special meaning. Requests of applications have 1 to 2^31 - 1.
 *
 * @category constants
 * @since 0.1.0
 */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const

/**
 * The heartbeat of an idle connection. Its reply has the xid -2.
 *
 * @category operations
 * @since 0.1.0
 */
export const ping = Operation.make({
  name: "ping",
  opCode: 11,
  kind: "session",
  request: Jute.empty,
  response: Jute.empty,
  since: "3.0.0"
})

/**
 * Adds an identity to the connection. A server that refuses it answers AuthFailed and closes the connection. Its reply has
 * the xid -4.
 *
 * @category operations
 * @since 0.1.0
 */
export const auth = Operation.make({
  name: "auth",
  opCode: 100,
  kind: "session",
  request: Jute.codec(Records.AuthPacket),
  response: Jute.empty,
  since: "3.0.0"
})

/**
 * One step of a SASL exchange: a token of the client, answered with a token of the server. Since ZooKeeper 3.4.
 *
 * @category operations
 * @since 0.1.0
 */
export const sasl = Operation.make({
  name: "sasl",
  opCode: 102,
  kind: "session",
  request: Jute.codec(Records.GetSASLRequest),
  response: Jute.codec(Records.SetSASLResponse),
  since: "3.4.0"
})

/**
 * Registers the one-shot watches of a client again after a reconnection.
 *
 * @category operations
 * @since 0.1.0
 */
export const setWatches = Operation.make({
  name: "setWatches",
  opCode: 101,
  kind: "session",
  request: Jute.codec(Records.SetWatches),
  response: Jute.empty,
  since: "3.0.0"
})

/**
 * Registers one-shot and persistent watches again after a reconnection. Since ZooKeeper 3.6.
 *
 * @category operations
 * @since 0.1.0
 */
export const setWatches2 = Operation.make({
  name: "setWatches2",
  opCode: 105,
  kind: "session",
  request: Jute.codec(Records.SetWatches2),
  response: Jute.empty,
  since: "3.6.0"
})

/**
 * Adds a persistent watch, for one znode or recursive. Since ZooKeeper 3.6.
 *
 * @category operations
 * @since 0.1.0
 */
export const addWatch = Operation.make({
  name: "addWatch",
  opCode: 106,
  kind: "session",
  request: Jute.codec(Records.AddWatchRequest),
  response: Jute.codec(Records.ErrorResponse),
  since: "3.6.0"
})

/**
 * Removes watches of this connection. Since ZooKeeper 3.5.
 *
 * @category operations
 * @since 0.1.0
 */
export const removeWatches = Operation.make({
  name: "removeWatches",
  opCode: 18,
  kind: "session",
  request: Jute.codec(Records.RemoveWatchesRequest),
  response: Jute.empty,
  errors: ["NoWatcher"],
  since: "3.5.0"
})

/**
 * Tests whether there is such a watch, and removes none. Since ZooKeeper 3.5.
 *
 * @category operations
 * @since 0.1.0
 */
export const checkWatches = Operation.make({
  name: "checkWatches",
  opCode: 17,
  kind: "session",
  request: Jute.codec(Records.RemoveWatchesRequest),
  response: Jute.empty,
  errors: ["NoWatcher"],
  since: "3.5.0"
})

/**
 * The identities of this connection. Since ZooKeeper 3.7.
 *
 * @category operations
 * @since 0.1.0
 */
export const whoAmI = Operation.make({
  name: "whoAmI",
  opCode: 107,
  kind: "read",
  request: Jute.empty,
  response: Jute.codec(Records.WhoAmIResponse),
  since: "3.7.0"
})

/**
 * Ends the session and deletes its ephemeral znodes. The server closes the connection after its reply.
 *
 * @category operations
 * @since 0.1.0
 */
export const closeSession = Operation.make({
  name: "closeSession",
  opCode: -11,
  kind: "session",
  request: Jute.empty,
  response: Jute.empty,
  since: "3.0.0"
})
