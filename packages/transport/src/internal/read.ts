/**
 * What comes in on a socket, kept until somebody asks for it.
 *
 * Chunks are handed on as Node reads them. While nobody asks, no more than `MAX_KEPT` is kept: then the socket pauses, the
 * kernel's window closes, and the peer waits.
 */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import type { Connection } from "../Connection.ts"
import type { TransportError } from "../TransportError.ts"

/** Bytes. */
const MAX_KEPT = 65_536

type Chunks = ReadonlyArray<Uint8Array>

/**
 * Reads a socket that has just been opened. `toError` says what its end means: `undefined` for one that came without an
 * error.
 */
export const makePull = (
  socket: Net.Socket,
  toError: (cause: Error | undefined) => TransportError
): Connection["pull"] => {
  let kept: Array<Uint8Array> = []
  let size = 0
  let hasEnded = false
  let cause: Error | undefined
  let waiter: ((effect: Effect.Effect<Chunks, TransportError>) => void) | undefined

  const end = () => {
    hasEnded = true
    const resume = waiter
    waiter = undefined
    resume?.(Effect.fail(toError(cause)))
  }
  socket.on("data", (chunk: Buffer) => {
    // Node's chunks are Buffers, whose `slice` shares memory and which equal no Uint8Array: they end here.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const resume = waiter
    if (resume !== undefined) {
      waiter = undefined
      resume(Effect.succeed([bytes]))
      return
    }
    kept.push(bytes)
    size += bytes.length
    if (size >= MAX_KEPT) socket.pause()
  })
  socket.once("end", end)
  socket.once("error", (error: Error) => {
    cause = error
    end()
  })
  socket.once("close", end)
  // What ended before anybody listened, nobody would hear of.
  if (socket.destroyed) end()

  return Effect.callback((resume) => {
    if (kept.length > 0) {
      const chunks = kept
      kept = []
      size = 0
      if (socket.isPaused()) socket.resume()
      return resume(Effect.succeed(chunks))
    }
    if (hasEnded) return resume(Effect.fail(toError(cause)))
    waiter = resume
    return Effect.sync(() => {
      if (waiter === resume) waiter = undefined
    })
  })
}

/** Each read of Node's has memory of its own, from outside of the heap; what is detached is free at once. */
export const release = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
