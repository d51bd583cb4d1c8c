/**
 * The rows of the operation table that belong to a session or to one of its connections: heartbeats, identities, watches.
 *
 * @since 0.1.0
 */
import * as Jute from "../../Jute.ts"
import * as Operation from "../../Operation.ts"
import * as Records from "../../Records.ts"

/**
 * The xids that mean something to a server or a client; requests of applications use 1 to 2^31 - 1.
 *
 * @category constants
 * @since 0.1.0
 */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const

/** @since 0.1.0 */
export const ping = Operation.make({
  name: "ping",
  opCode: 11,
  kind: "session",
  request: Jute.empty,
  response: Jute.empty,
  since: "3.0.0"
})

/** @since 0.1.0 */
export const auth = Operation.make({
  name: "auth",
  opCode: 100,
  kind: "session",
  request: Jute.codec(Records.AuthPacket),
  response: Jute.empty,
  since: "3.0.0"
})

/** @since 0.1.0 */
export const sasl = Operation.make({
  name: "sasl",
  opCode: 102,
  kind: "session",
  request: Jute.codec(Records.GetSASLRequest),
  response: Jute.codec(Records.SetSASLResponse),
  since: "3.4.0"
})

/** Registers one-shot watches anew after a reconnection. @since 0.1.0 */
export const setWatches = Operation.make({
  name: "setWatches",
  opCode: 101,
  kind: "session",
  request: Jute.codec(Records.SetWatches),
  response: Jute.empty,
  since: "3.0.0"
})

/** The same, with persistent watches. @since 0.1.0 */
export const setWatches2 = Operation.make({
  name: "setWatches2",
  opCode: 105,
  kind: "session",
  request: Jute.codec(Records.SetWatches2),
  response: Jute.empty,
  since: "3.6.0"
})

/** @since 0.1.0 */
export const addWatch = Operation.make({
  name: "addWatch",
  opCode: 106,
  kind: "session",
  request: Jute.codec(Records.AddWatchRequest),
  response: Jute.codec(Records.ErrorResponse),
  since: "3.6.0"
})

/** @since 0.1.0 */
export const removeWatches = Operation.make({
  name: "removeWatches",
  opCode: 18,
  kind: "session",
  request: Jute.codec(Records.RemoveWatchesRequest),
  response: Jute.empty,
  errors: ["NoWatcher"],
  since: "3.5.0"
})

/** Tests whether there is such a watch, and removes nothing. @since 0.1.0 */
export const checkWatches = Operation.make({
  name: "checkWatches",
  opCode: 17,
  kind: "session",
  request: Jute.codec(Records.RemoveWatchesRequest),
  response: Jute.empty,
  errors: ["NoWatcher"],
  since: "3.5.0"
})

/** The identities of this connection. @since 0.1.0 */
export const whoAmI = Operation.make({
  name: "whoAmI",
  opCode: 107,
  kind: "read",
  request: Jute.empty,
  response: Jute.codec(Records.WhoAmIResponse),
  since: "3.7.0"
})

/** @since 0.1.0 */
export const closeSession = Operation.make({
  name: "closeSession",
  opCode: -11,
  kind: "session",
  request: Jute.empty,
  response: Jute.empty,
  since: "3.0.0"
})
