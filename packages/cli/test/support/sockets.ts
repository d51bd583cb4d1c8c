/** Servers that do one thing, to see what commands say of them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"

/** The `host:port` of a server that does this with each connection. */
export const listening = (onSocket: (socket: Net.Socket) => void): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer((socket) => onSocket(socket.on("error", () => {})))
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
    })
  )

/** That of one that takes connections, and says nothing. */
export const hanging = listening(() => {})
