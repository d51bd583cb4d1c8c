/**
 * Listening on loopback as an Effect.
 */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"

/** Listens on any free port until the Scope closes, and ends these connections then. */
export const listenScoped = Effect.fnUntraced(function* (server: Net.Server, connections: Iterable<Net.Socket>) {
  const port = yield* listen(server, 0)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      server.close()
      for (const socket of connections) socket.destroy()
    })
  )
  return { host: "127.0.0.1", port, connectString: `127.0.0.1:${port}` }
})

/** Listens and gives the port; 0 asks for any. That a port is taken is a defect: the caller chose it. */
export const listen = (server: Net.Server, port: number, host = "127.0.0.1"): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const onError = (error: Error) => resume(Effect.die(error))
    server.once("error", onError)
    server.listen({ host, port }, () => {
      server.off("error", onError)
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })
