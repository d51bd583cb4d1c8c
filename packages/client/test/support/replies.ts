/** Frames that scripted servers read and write by hand. */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"

/** The first frame of a client. */
export const decodeConnectRequest = (frame: Uint8Array): Handshake.ConnectRequest =>
  Handshake.connectRequest.read(new JuteReader(frame))

/** The answer to a handshake; ten seconds and session 1 if nothing else is said. */
export const encodeConnectResponse = (answer: Partial<Handshake.ConnectResponse> = {}): Uint8Array => {
  const writer = new JuteWriter()
  Handshake.connectResponse.write(writer, {
    protocolVersion: 0,
    timeOut: 10_000,
    sessionId: 1n,
    passwd: new Uint8Array(16).fill(7),
    readOnly: false,
    ...answer
  })
  return writer.take()
}

/** The header of a request. */
export const headerOf = (frame: Uint8Array): { readonly xid: number; readonly op: number } => {
  const reader = new JuteReader(frame)
  return { xid: reader.int(), op: reader.int() }
}

/** A reply without a body. */
export const replyTo = (xid: number, zxid: bigint, code = 0, body: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const writer = new JuteWriter()
  writer.int(xid)
  writer.long(zxid)
  writer.int(code)
  writer.raw(body)
  return writer.take()
}
