/**
 * A TCP server that sends nothing by itself: a test writes what each connection receives.
 *
 * It cuts incoming bytes into frames and adds lengths to outgoing ones, and knows no more of ZooKeeper than that.
 */
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { encode } from "./internal/proxy/frameRules.ts"
import { listenScoped } from "./internal/proxy/listen.ts"

/** One accepted connection, as its script sees it. */
export interface ScriptedConnection {
  /** Counts from 1. */
  readonly index: number
  /** The next frame without its length. Fails with `Cause.Done` when the client has closed or reset. */
  readonly nextFrame: Effect.Effect<Uint8Array, Cause.Done>
  /** Sends one frame; the length is added. */
  readonly send: (body: Uint8Array) => Effect.Effect<void>
  /** Sends bytes as they are. */
  readonly sendRaw: (bytes: Uint8Array) => Effect.Effect<void>
  /** Sends a FIN after what was sent, and closes. */
  readonly close: Effect.Effect<void>
  /** Sends an RST. */
  readonly reset: Effect.Effect<void>
}

export interface ScriptedServer {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly connectString: string
  /** Connections accepted so far. */
  readonly accepted: Effect.Effect<number>
}

/**
 * Listens on a free port. `onConnection` runs in a fibre of its own for each connection, and is interrupted with the
 * Scope. When it returns the connection stays open; that the client has gone (`Cause.Done`) ends it quietly.
 */
export const make = Effect.fnUntraced(function* <R>(
  onConnection: (connection: ScriptedConnection) => Effect.Effect<void, Cause.Done, R>
): Effect.fn.Return<ScriptedServer, never, R | Scope.Scope> {
  const context = yield* Effect.context<R>()
  const scope = yield* Effect.scope
  const sockets = new Set<Net.Socket>()
  let accepted = 0
  const listener = Net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
    const script = Effect.flatMap(fromSocket(socket, ++accepted), onConnection).pipe(
      Effect.catchTag("Done", () => Effect.void),
      Effect.forkIn(scope)
    )
    Effect.runSyncWith(context)(script)
  })
  return { ...(yield* listenScoped(listener, sockets)), accepted: Effect.sync(() => accepted) }
})

const fromSocket = Effect.fnUntraced(function* (socket: Net.Socket, index: number) {
  const frames = yield* Queue.unbounded<Uint8Array, Cause.Done>()
  const splitter = new FrameSplitter(0x7fffffff)
  socket.on("error", () => Queue.endUnsafe(frames))
  socket.on("close", () => Queue.endUnsafe(frames))
  socket.on("end", () => Queue.endUnsafe(frames))
  socket.on("data", (chunk: Buffer) => {
    try {
      splitter.push(chunk, (bytes, start, end) => void Queue.offerUnsafe(frames, bytes.slice(start, end)))
    } catch {
      Queue.endUnsafe(frames)
    }
  })
  const sendRaw = (bytes: Uint8Array) =>
    Effect.callback<void>((resume) => {
      // The client may not receive it.
      socket.write(bytes, () => resume(Effect.void))
    })
  const connection: ScriptedConnection = {
    index,
    nextFrame: Queue.take(frames),
    send: (body) => sendRaw(encode(body)),
    sendRaw,
    close: Effect.sync(() => socket.destroySoon()),
    reset: Effect.sync(() => void socket.resetAndDestroy())
  }
  return connection
})
