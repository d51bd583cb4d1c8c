/** A server that grants a session and then reads nothing more until it is told to; then it answers every write. */
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import * as Frames from "./frames.ts"
import { listen } from "./listen.ts"

export const make = Effect.gen(function* () {
  const state = { writes: 0, bytes: 0 }
  const sockets = new Set<Net.Socket>()
  const connectString = yield* listen((socket) => {
    sockets.add(socket)
    const splitter = new FrameSplitter(0x7fffffff)
    let greeted = false
    socket.on("data", (chunk) => {
      state.bytes += chunk.length
      splitter.push(chunk as Uint8Array, (bytes, start, end) => {
        if (!greeted) {
          greeted = true
          socket.write(Frames.framed(Frames.connectReply({ timeOut: 30_000, sessionId: 1n })))
          socket.pause()
          return
        }
        const frame = bytes.subarray(start, end)
        const [xid, opCode] = [Frames.xidOf(frame), Frames.opCodeOf(frame)]
        if (opCode === Operations.setData.opCode) {
          state.writes++
          const stat = { stat: Frames.stat }
          socket.write(Frames.framed(Frames.replyWith(xid, BigInt(state.writes), Operations.setData, stat)))
        } else socket.write(Frames.framed(Frames.reply(xid, 0n)))
      })
    })
  })
  return {
    connectString,
    state,
    read: Effect.sync(() => {
      for (const socket of sockets) socket.resume()
    })
  }
})
