/** A server that grants a session and then reads nothing more until it is told to; then it answers every write. */
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Frames from "./frames.ts"

export const make = Effect.gen(function* () {
  const state = { writes: 0, bytes: 0 }
  const sockets = new Set<Net.Socket>()
  const server = Net.createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
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
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
  )
  const address = server.address() as Net.AddressInfo
  return {
    connectString: `127.0.0.1:${address.port}`,
    state,
    read: Effect.sync(() => {
      for (const socket of sockets) socket.resume()
    })
  }
})
