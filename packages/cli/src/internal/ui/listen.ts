/** The HTTP server of the console, which ends at once however many pages are open. */
import * as ConsoleServer from "@effect-zookeeper/console/ConsoleServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { Duplex } from "node:stream"
import { ListenFailed } from "../frame/errors.ts"

/** Listens on loopback until the Scope closes; port 0 is any free one. */
export const listen = Effect.fnUntraced(function* (port: number) {
  const node = Http.createServer()
  // Node does not count WebSockets among the connections that it can close.
  const sockets = new Set<Duplex>()
  node.on("upgrade", (_, socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  // The server of WebSockets is made with the first one, and waits for all of them at its end: in a Scope of its own, so that
  // it ends after they are closed.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const server = yield* NodeHttpServer.make(() => node, {
    host: "127.0.0.1",
    port,
    disablePreemptiveShutdown: true,
    websocket: { maxPayload: ConsoleServer.maxMessageSize }
  }).pipe(
    Scope.provide(scope),
    Effect.mapError(({ cause }) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      return new ListenFailed({
        message: `cannot listen on 127.0.0.1:${port}: ${reason}; choose another with --port, or 0 for any`
      })
    })
  )
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      node.closeAllConnections()
      for (const socket of sockets) socket.destroy()
    })
  )
  return server
})
