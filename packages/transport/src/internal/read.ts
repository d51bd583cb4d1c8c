/**
 * Incoming bytes of a socket, kept until they are pulled.
 *
 * Chunks are handed on as Node reads them. Without a pull no more than about `MAX_KEPT` is kept: then the socket pauses, the
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
 * Reads a socket that has just been opened. `toError` makes the error of its end from the cause, which is `undefined` for an
 * end without an error.
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
  const onData = (chunk: Buffer) => {
    // Node's chunks are Buffers, whose `slice` shares memory and which equal no Uint8Array: they go no further.
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
  }
  const onError = (error: Error) => {
    cause = error
    end()
  }
  socket.on("data", onData)
  socket.on("end", end)
  socket.on("error", onError)
  socket.once("close", () => {
    end()
    // Node keeps a closed socket until the next full collection of garbage, and its listeners would keep the session.
    socket.off("data", onData).off("end", end).off("error", onError)
  })
  // The socket may have ended before the listeners were added.
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

/** Each read of Node has its own memory outside of the heap. Detaching the buffer frees it at once. */
export const release = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
