/**
 * Just enough of a client to leave a znode on a server and to see whether it is still there.
 */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import { connect } from "./rawClient.ts"
import { inScope } from "../../src/Expectations.ts"
import { connectRequest, encodeRequest } from "../../src/RequestFrames.ts"

const replyHeader = Jute.codec(Records.ReplyHeader)

/** One request in a session of its own; the error code of the reply, 0 for success. */
const ask = <O extends Operation.Any>(port: number, operation: O, request: Operation.Request<O>) =>
  inScope(function* () {
    const client = yield* connect(port)
    yield* client.send(Jute.encode(Handshake.connectRequest, connectRequest({ passwd: new Uint8Array(16) })))
    yield* client.nextFrame
    yield* client.send(encodeRequest(operation, request, 1))
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
