/** The answers to all HTTP requests: the files of the page, and the WebSocket. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Base64Url from "effect/encoding/Base64Url"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { PageFile, PageFiles } from "../../PageFiles.ts"
import { socketPath, tokenPath } from "../../Protocol.ts"
import * as limits from "../limits.ts"
import * as Guard from "./guard.ts"
import * as Headers from "./headers.ts"

export interface Options {
  readonly port: number
  readonly token: string
  readonly files: PageFiles
  /** Talks to a page over the WebSocket of the request, until it is gone. */
  readonly socket: Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    never,
    HttpServerRequest.HttpServerRequest | Scope.Scope
  >
}

type Response = HttpServerResponse.HttpServerResponse

export const makeApp = ({ files, port, socket, token }: Options) => {
  const hosts = Guard.hostsOf(port)
  let pages = 0
  const page = Effect.acquireUseRelease(
    Effect.sync(() => ++pages),
    (count) =>
      count > limits.pages
        ? Effect.succeed(plain(503, full))
        : // A frame that is no message of the protocol ends the connection, and nothing else.
          Effect.catchDefect(socket, () => Effect.succeed(HttpServerResponse.empty())),
    () => Effect.sync(() => pages--)
  )
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { headers, method } = request
    const host = Guard.checkHost(headers, hosts)
    if (Result.isFailure(host)) return refuse(host.failure)
    if (method !== "GET" && method !== "HEAD") return plain(405, "only GET is answered\n")
    const path = request.url.replace(/[?#].*$/s, "")
    switch (path) {
      case socketPath: {
        const allowed = Guard.checkSocket(headers, host.success, token)
        if (Result.isFailure(allowed)) return refuse(allowed.failure)
        return headers["upgrade"]?.toLowerCase() === "websocket" ? yield* page : plain(426, "this is a WebSocket\n")
      }
      case tokenPath: {
        const allowed = Result.andThen(Guard.checkOrigin(headers, host.success), () =>
          Guard.checkBearer(headers, token)
        )
        if (Result.isFailure(allowed)) return refuse(allowed.failure)
        return pages < limits.pages ? secured(HttpServerResponse.empty()) : plain(503, full)
      }
      default: {
        // The files are known by their whole paths, so that no path leads anywhere else.
        const file = files.get(path === "/" ? "/index.html" : path)
        if (file === undefined) return plain(404, "there is nothing here\n")
        return yield* send(file, host.success)
      }
    }
  })
}

/** 32 random bytes, as text for a URL and a header. */
export const makeToken: Effect.Effect<string, never, SecureRandom.SecureRandom> = Effect.flatMap(
  SecureRandom.SecureRandom,
  ({ randomBytes }) => Effect.map(randomBytes(32), Base64Url.encode)
)

// ---- internal

const full = `${limits.pages} pages are open already\n`

const send = ({ content, type }: PageFile, host: string): Effect.Effect<Response, never, SecureRandom.SecureRandom> =>
  typeof content === "string"
    ? Effect.flatMap(SecureRandom.SecureRandom, ({ randomBytes }) =>
        Effect.map(randomBytes(16), (bytes) => {
          const nonce = Base64Url.encode(bytes)
          const response = HttpServerResponse.text(content.replaceAll(Headers.noncePlaceholder, nonce), {
            contentType: type
          })
          return secured(
            HttpServerResponse.setHeader(
              response,
              "content-security-policy",
              Headers.contentSecurityPolicy(host, nonce)
            )
          )
        })
      )
    : Effect.succeed(secured(HttpServerResponse.uint8Array(content, { contentType: type })))

const secured = (response: Response): Response => {
  const headers: Record<string, string> = { ...Headers.always }
  if (response.headers["content-security-policy"] === undefined)
    headers["content-security-policy"] = "default-src 'none'"
  return HttpServerResponse.setHeaders(response, headers)
}

const plain = (status: number, text: string): Response =>
  secured(HttpServerResponse.text(text, { status, contentType: "text/plain; charset=utf-8" }))

const refuse = ({ status, text }: Guard.Refusal): Response => plain(status, text)
