/**
 * Just enough of a client to leave a znode on a server and to see whether it is still there.
 */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import { connect } from "./rawClient.ts"
import { inScope } from "../../src/Expectations.ts"

const requestHeader = Jute.codec(Records.RequestHeader)
const replyHeader = Jute.codec(Records.ReplyHeader)

/** One request in a session of its own; the error code of the reply, 0 for success. */
const ask = <O extends Operation.Any>(port: number, operation: O, request: Operation.Request<O>) =>
  inScope(function* () {
    const client = yield* connect(port)
    const hello = new JuteWriter()
    Handshake.connectRequest.write(hello, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: 10_000,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false
    })
    yield* client.send(hello.take())
    yield* client.nextFrame
    const writer = new JuteWriter()
    requestHeader.write(writer, { xid: 1, type: operation.opCode })
    operation.request.write(writer, request)
    yield* client.send(writer.take())
    return replyHeader.read(new JuteReader(yield* client.nextFrame)).err
  })

export const create = (port: number, path: string) =>
  ask(port, Operations.create, {
    path,
    data: new Uint8Array([1]),
    acl: [{ perms: 31, scheme: "world", id: "anyone" }],
    flags: 0
  })

export const exists = (port: number, path: string) => ask(port, Operations.exists, { path, watch: false })
