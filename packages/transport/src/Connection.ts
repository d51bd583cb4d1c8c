/**
 * One open connection to a server, as a `Transport` gives it to a session: bytes in, bytes out.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { TransportError } from "./TransportError.ts"

/**
 * One open connection. It lives as long as the Scope in which `Transport.connect` ran.
 *
 * Write one of your own to test a session, or to reach servers in another way than by TCP and TLS.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  /**
   * The next bytes from the server, as they arrive: frames may be split or joined. Waits while there are none. Every end of
   * the connection, a clean one too, fails it with `TransportError`. The chunks are never written to again, so views of
   * them may be kept.
   */
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array>, TransportError>
  /**
   * Frees the memory of a chunk that `pull` gave, or of a frame that was put together from chunks. No view of it may be kept.
   * Calling it is optional: it spares the garbage collector, which otherwise counts the memory as in use until it has looked
   * through the whole heap.
   */
  readonly release?: ((chunk: Uint8Array) => void) | undefined
  /**
   * Hands bytes to the network and waits while it is full. The bytes must not be changed until this has returned, nor
   * after an interruption. It fails, and never hangs, once the connection has ended.
   */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, TransportError>
  /**
   * `write` as a plain call, for callers without a fiber. It returns undefined when the network has taken the bytes, and
   * otherwise an Effect that waits for that or fails. It must not be called while an earlier write is still waited for. A
   * wrapper that replaces `write` has to replace this too.
   */
  readonly writeNow?: ((bytes: Uint8Array) => Effect.Effect<void, TransportError> | undefined) | undefined
  /**
   * Runs `task` at the end of the current turn: a microtask on sockets, the fiber's dispatcher in memory, so that a
   * simulated world never waits for a microtask.
   */
  readonly defer: (task: () => void) => void
}
