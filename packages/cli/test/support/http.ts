/** An HTTP server for a test, on a port of its own. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"

/** Answers each path with its text, and others with 404. Gives the port. */
export const serve = (
  answers: Readonly<Record<string, { readonly status?: number; readonly body: string }>>
): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Http.Server>((resume) => {
      const server = Http.createServer((request, response) => {
        const answer = answers[request.url ?? ""] ?? { status: 404, body: "" }
        response.writeHead(answer.status ?? 200, { "content-type": "application/json" }).end(answer.body)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return typeof address === "object" && address !== null ? address.port : 0
    })
  )
