/**
 * Servers on loopback for the tests of real connections.
 */
import type { ServerAddress } from "@effect-zookeeper/transport"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Tls from "node:tls"

interface Listener {
  readonly address: ServerAddress.ServerAddress
  /** The same port, under the name of localhost. */
  readonly named: ServerAddress.ServerAddress
  /** The server's side of the first connection, once it is open. */
  readonly accepted: Effect.Effect<Net.Socket>
  /** Done when the server's side of the first connection is closed. */
  readonly closed: Effect.Effect<void>
}

const listen = (create: (onSocket: (socket: Net.Socket) => void) => Net.Server) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ server: Net.Server; sockets: Set<Net.Socket>; first: Promise<Net.Socket> }>((resume) => {
        const sockets = new Set<Net.Socket>()
        const { promise: first, resolve } = Promise.withResolvers<Net.Socket>()
        const server = create((socket) => {
          sockets.add(socket)
          socket.on("error", () => {})
          resolve(socket)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets, first })))
      }),
      ({ server, sockets }) =>
        Effect.callback<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    ),
    ({ first, server }): Listener => {
      const { port } = server.address() as Net.AddressInfo
      const accepted = Effect.promise(() => first)
      return {
        address: { host: "127.0.0.1", port },
        named: { host: "localhost", port },
        accepted,
        closed: Effect.flatMap(accepted, (socket) =>
          Effect.callback<void>((resume) => {
            if (socket.closed) return resume(Effect.void)
            socket.once("close", () => resume(Effect.void))
          })
        )
      }
    }
  )

/** A server on TCP. */
export const tcp = (handle: (socket: Net.Socket) => void, options: Net.ServerOpts = {}) =>
  listen((onSocket) =>
    Net.createServer(options, (socket) => {
      onSocket(socket)
      handle(socket)
    })
  )

/** A server on TLS; failed handshakes are the client's business. */
export const tls = (options: Tls.TlsOptions, handle: (socket: Tls.TLSSocket) => void) =>
  listen((onSocket) =>
    Tls.createServer(options, (socket) => {
      onSocket(socket)
      handle(socket)
    }).on("tlsClientError", () => {})
  )

export const echo = (socket: Net.Socket): void => {
  socket.pipe(socket)
}
