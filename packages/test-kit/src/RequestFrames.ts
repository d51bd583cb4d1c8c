/** Requests as frames, for tests that speak with a server by hand: of a session, or before there is one. */
import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Records from "@effect-zookeeper/protocol/Records"

export { encode as framed } from "./internal/proxy/frameRules.ts"

/** The handshake of a new session of ten seconds, or of another one. */
export const connectRequest = (other: Partial<Handshake.ConnectRequest> = {}): Handshake.ConnectRequest => ({
  ...{ protocolVersion: 0, lastZxidSeen: 0n, timeOut: 10_000, sessionId: 0n, passwd: null, readOnly: false },
  ...other
})

const requestHeader = Jute.codec(Records.RequestHeader)

/** The body of a frame; `framed` puts its length in front. */
export const encodeRequest = <Request>(
  row: Operation.Operation<string, Request, any, any>,
  request: Request,
  xid: number
): Uint8Array => {
  const writer = new JuteWriter()
  requestHeader.write(writer, { xid, type: row.opCode })
  row.request.write(writer, request)
  return writer.take()
}
