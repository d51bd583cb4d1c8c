/**
 * Frames as tests write and read them by hand.
 */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"

export { stat } from "@effect-zookeeper/test-kit/ScriptedSession"

/** A request as a server sees it. */
export interface Request {
  readonly xid: number
  readonly opCode: number
  /** The name in the operation table. */
  readonly name: string
  readonly body: any
}

export const xidOf = (frame: Uint8Array): number => new JuteReader(frame).int()

export const opCodeOf = (frame: Uint8Array): number => {
  const reader = new JuteReader(frame)
  reader.int()
  return reader.int()
}

export const decodeRequest = (frame: Uint8Array): Request => {
  const reader = new JuteReader(frame)
  const xid = reader.int()
  const opCode = reader.int()
  const operation = Operations.byOpCode(opCode)
  if (operation === undefined) throw new Error(`op code ${opCode} is not in the table`)
  return { xid, opCode, name: operation.name, body: operation.request.read(reader) }
}

/** Requests with their paths, to compare in their order. */
export const shape = (requests: ReadonlyArray<Request>) => requests.map(({ body, name }) => `${name} ${body.path}`)

/** A frame with its length. */
export const framed = (body: Uint8Array): Uint8Array => {
  const writer = new JuteWriter()
  writer.buffer(body)
  return writer.take()
}

/** The header of a reply, and `rest` behind it. */
export const reply = (xid: number, zxid: bigint, code = 0, rest: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const writer = new JuteWriter()
  writer.int(xid)
  writer.long(zxid)
  writer.int(code)
  writer.raw(rest)
  return writer.take()
}

export const replyWith = <O extends Operation.Any>(
  xid: number,
  zxid: bigint,
  operation: O,
  response: Operation.Response<O>
): Uint8Array => reply(xid, zxid, 0, Jute.encode(operation.response, response))

const watcherEvent = Jute.codec(Records.WatcherEvent)

export const notification = (type: number, path: string, zxid = -1n): Uint8Array =>
  reply(Operations.Xid.notification, zxid, 0, Jute.encode(watcherEvent, { type, state: 3, path }))

export const event = { created: 1, deleted: 2, data: 3, child: 4 } as const

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** A server's answer to the handshake. */
export const connectReply = (grant: Partial<Handshake.ConnectResponse>): Uint8Array =>
  Jute.encode(Handshake.connectResponse, {
    protocolVersion: 0,
    timeOut: 10_000,
    sessionId: 0x100n,
    passwd: new Uint8Array(16),
    readOnly: false,
    ...grant
  })
