/**
 * A server that answers at once with canned replies, in a process of its own: what is measured against it is the client.
 *
 * Prints its port. It knows no znodes: each `getData` gives the same kilobyte, `getChildren` the same names.
 */
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Net from "node:net"
import { childNames } from "./names.ts"
import { cannedStat, readInt, replyFrame, writeInt } from "./wire.ts"

const path = "/bench/stub"

const canned = new Map<number, Uint8Array>([
  [Operations.create.opCode, replyFrame(Operations.create, { path })],
  [Operations.create2.opCode, replyFrame(Operations.create2, { path, stat: cannedStat })],
  [Operations.deleteNode.opCode, replyFrame(Operations.deleteNode, undefined)],
  [Operations.exists.opCode, replyFrame(Operations.exists, { stat: cannedStat })],
  [Operations.getData.opCode, replyFrame(Operations.getData, { data: new Uint8Array(1024), stat: cannedStat })],
  [Operations.setData.opCode, replyFrame(Operations.setData, { stat: cannedStat })],
  [Operations.getChildren.opCode, replyFrame(Operations.getChildren, { children: childNames })],
  [Operations.getChildren2.opCode, replyFrame(Operations.getChildren2, { children: childNames, stat: cannedStat })],
  [Operations.sync.opCode, replyFrame(Operations.sync, { path })],
  [Operations.ping.opCode, replyFrame(Operations.ping, undefined)],
  [Operations.setWatches.opCode, replyFrame(Operations.setWatches, undefined)],
  [Operations.setWatches2.opCode, replyFrame(Operations.setWatches2, undefined)],
  [Operations.removeWatches.opCode, replyFrame(Operations.removeWatches, undefined)],
  [Operations.closeSession.opCode, replyFrame(Operations.closeSession, undefined)],
  [
    Operations.multi.opCode,
    replyFrame(
      Operations.multi,
      Array.from({ length: 100 }, () => ({ operation: "create" as const, response: { path } }))
    )
  ]
])

let sessions = 0n

/** A session that is presented is still there. */
const handshake = (request: Uint8Array): Uint8Array => {
  const presented = new DataView(request.buffer, request.byteOffset).getBigInt64(20)
  return Frame.encode(Handshake.connectResponse, {
    protocolVersion: 0,
    timeOut: readInt(request, 16),
    sessionId: presented === 0n ? ++sessions : presented,
    passwd: new Uint8Array(16),
    readOnly: false
  })
}

const serve = (socket: Net.Socket): void => {
  let rest = new Uint8Array(0)
  let introduced = false
  socket.on("error", () => {})
  socket.on("data", (chunk: Uint8Array) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const replies: Array<Uint8Array> = []
    const xids: Array<number> = []
    let size = 0
    let at = 0
    let over = false
    while (at + 4 <= bytes.length) {
      const end = at + 4 + readInt(bytes, at)
      if (end > bytes.length) break
      if (!introduced) {
        introduced = true
        socket.write(handshake(bytes.subarray(at, end)))
      } else {
        const opCode = readInt(bytes, at + 8)
        const reply = canned.get(opCode)
        if (reply === undefined) throw new Error(`the stub knows no operation ${opCode}`)
        replies.push(reply)
        xids.push(readInt(bytes, at + 4))
        size += reply.length
        over ||= opCode === Operations.closeSession.opCode
      }
      at = end
    }
    rest = bytes.slice(at)
    if (size > 0) {
      const out = Buffer.allocUnsafe(size)
      let to = 0
      for (let index = 0; index < replies.length; index++) {
        const reply = replies[index]!
        out.set(reply, to)
        writeInt(out, to + 4, xids[index]!)
        to += reply.length
      }
      socket.write(out)
    }
    if (over) socket.end()
  })
}

const server = Net.createServer({ noDelay: true }, serve)
server.listen(0, "127.0.0.1", 4096, () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) console.log(address.port)
})
// Its stdin is held by the process that started it: it ends with that.
process.stdin.once("close", () => process.exit(0)).resume()
