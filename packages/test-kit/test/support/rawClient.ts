/**
 * A client's bare socket for tests of the proxy: frames out, frames in, and how it ended.
 */
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Net from "node:net"
import { encode } from "../../src/internal/proxy/frameRules.ts"

export const connect = Effect.fnUntraced(function* (port: number, host = "127.0.0.1") {
  const frames = yield* Queue.unbounded<Uint8Array, Cause.Done>()
  const ended = yield* Deferred.make<"fin" | "rst">()
  const opened = yield* Deferred.make<void, Error>()
  const splitter = new FrameSplitter(0x7fffffff)
  const received: Array<number> = []
  const sizes: Array<number> = []
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => Net.connect({ host, port, allowHalfOpen: true, noDelay: true })),
    (socket) => Effect.sync(() => socket.destroy())
  )
  socket.on("connect", () => Deferred.doneUnsafe(opened, Effect.void))
  socket.on("data", (chunk: Buffer) => {
    sizes.push(chunk.length)
    received.push(...chunk)
    splitter.push(chunk, (bytes, start, end) => void Queue.offerUnsafe(frames, bytes.slice(start, end)))
  })
  const over = (how: "fin" | "rst") => {
    Deferred.doneUnsafe(ended, Effect.succeed(how))
    Queue.endUnsafe(frames)
  }
  socket.on("end", () => over("fin"))
  socket.on("error", (error) => {
    // A reset right after the accept may come before the client knows that it is connected.
    const reset = "code" in error && error.code === "ECONNRESET"
    Deferred.doneUnsafe(opened, reset ? Effect.void : Effect.fail(error))
    over("rst")
  })
  yield* Deferred.await(opened)
  return {
    socket,
    /** All bytes so far. */
    received,
    /** The size of each chunk so far. */
    sizes,
    send: (body: Uint8Array) => Effect.sync(() => void socket.write(encode(body))),
    nextFrame: Queue.take(frames),
    /** How the other side ended the connection. */
    ended: Deferred.await(ended)
  }
})

/** A request as far as the proxy reads it: xid, op code, a payload. */
export const request = (xid: number, op: number, payload = 0): Uint8Array => ints(xid, op, payload)

/** A reply: xid, zxid, error, a payload. */
export const reply = (xid: number, payload: number, error = 0): Uint8Array => ints(xid, 0, 0, error, payload)

export const ints = (...values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => view.setInt32(4 * index, value))
  return bytes
}

export const readInts = (bytes: Uint8Array): ReadonlyArray<number> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getInt32(4 * index))
}
