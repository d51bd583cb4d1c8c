/**
 * The server behind the page: on loopback alone, for those who have its link.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as HttpServer from "effect/http/HttpServer"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import { checkOptions } from "@effect-zookeeper/client/ArgumentCheck"
import * as ErrorClass from "@effect-zookeeper/client/ErrorClass"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as KnownOptions from "@effect-zookeeper/client/KnownOptions"
import type { Cluster } from "./Cluster.ts"
import { makeClusters } from "./internal/clusters/Clusters.ts"
import { makeHandlers } from "./internal/handlers.ts"
import { makeApp, makeToken } from "./internal/http/app.ts"
import * as limits from "./internal/limits.ts"
import type { PageFiles } from "./PageFiles.ts"
import { Console, tokenParameter } from "./Protocol.ts"

/**
 * Options of {@link make} and {@link layer}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The ensembles that the page can show, by unique names. */
  readonly clusters: ReadonlyArray<Cluster>
  /** The files of the page; see `PageFiles.load`. */
  readonly files: PageFiles
  /** The version that the page shows. */
  readonly version: string
  /** Whether the page may change what its clusters allow. Default `false`. */
  readonly write?: boolean | undefined
}

/**
 * The HTTP server listens on an address that other machines may reach. The console has no users and no passwords, so it
 * listens on loopback alone; to look from elsewhere, use a tunnel such as `ssh -L`.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotLoopback extends ErrorClass.make(
  Schema.TaggedError<NotLoopback>()("NotLoopback", {
    address: Schema.String,
    message: Schema.String
  })
) {}

/**
 * The running server.
 *
 * @category services
 * @since 0.1.0
 */
export class ConsoleServer extends Context.Service<
  ConsoleServer,
  {
    /** The address without the token. */
    readonly url: string
    /** The address with the token: the one link that opens the page. It is a secret until the server ends. */
    readonly link: Redacted.Redacted<string>
  }
>()("@effect-zookeeper/console/ConsoleServer") {}

/**
 * The largest message of a page in bytes. Give it to the WebSockets of the HTTP server as `maxPayload`.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxMessageSize: number = limits.message

/**
 * Serves the page on an HTTP server, until the Scope closes. Exports and imports use temporary files. It fails with
 * `NotLoopback` if the server can be reached from other machines, and with `InvalidArgument` if an option has an unknown name.
 *
 * @example
 * ```ts
 * import * as ConsoleServer from "@effect-zookeeper/console/ConsoleServer"
 * import type { Cluster } from "@effect-zookeeper/console/Cluster"
 * import type { PageFiles } from "@effect-zookeeper/console/PageFiles"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * export const program = (clusters: ReadonlyArray<Cluster>, files: PageFiles) =>
 *   Effect.gen(function* () {
 *     const { link } = yield* ConsoleServer.make({ clusters, files, version: "1.0.0" })
 *     yield* Effect.log(Redacted.value(link))
 *     return yield* Effect.never
 *   })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<
  ConsoleServer["Service"],
  NotLoopback | InvalidArgument,
  HttpServer.HttpServer | FileSystem.FileSystem | Scope.Scope
> {
  yield* checkOptions(known, options ?? null)
  const server = yield* HttpServer.HttpServer
  const fs = yield* FileSystem.FileSystem
  const port = yield* loopbackPort(server.address)
  const random = Context.get(yield* Layer.build(SecureRandom.layerWebCrypto), SecureRandom.SecureRandom)
  const token = yield* Effect.provideService(makeToken, SecureRandom.SecureRandom, random)
  const clusters = yield* makeClusters(options.clusters)
  const handlers = yield* Console.toHandlers(
    makeHandlers({ clusters, version: options.version, canWrite: options.write === true, fs })
  )
  const { httpEffect, protocol } = yield* Effect.provideService(
    RpcServer.makeProtocolWithHttpEffectWebsocket,
    RpcSerialization.RpcSerialization,
    RpcSerialization.json
  )
  yield* RpcServer.make(Console, { disableTracing: true, disableFatalDefects: true }).pipe(
    Effect.provideService(RpcServer.Protocol, protocol),
    Effect.provideContext(handlers),
    Effect.forkScoped
  )
  yield* server.serve(
    Effect.provideService(
      makeApp({ port, token, files: options.files, socket: httpEffect }),
      SecureRandom.SecureRandom,
      random
    )
  )
  const url = `http://127.0.0.1:${port}/`
  return { url, link: Redacted.make(`${url}#${tokenParameter}=${token}`) }
})

/**
 * The server as a layer; see {@link make}.
 *
 * @example
 * ```ts
 * import * as ConsoleServer from "@effect-zookeeper/console/ConsoleServer"
 * import * as PageFiles from "@effect-zookeeper/console/PageFiles"
 * import type { Cluster } from "@effect-zookeeper/console/Cluster"
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Http from "node:http"
 *
 * export const serve = (cluster: Cluster) =>
 *   Layer.unwrap(
 *     Effect.map(PageFiles.load("page"), (files) =>
 *       ConsoleServer.layer({ clusters: [cluster], files, version: "1.0.0" })
 *     )
 *   ).pipe(
 *     Layer.provide([
 *       NodeServices.layer,
 *       NodeHttpServer.layer(() => Http.createServer(), {
 *         host: "127.0.0.1",
 *         port: 4180,
 *         websocket: { maxPayload: ConsoleServer.maxMessageSize }
 *       })
 *     ])
 *   )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<ConsoleServer, NotLoopback | InvalidArgument, HttpServer.HttpServer | FileSystem.FileSystem> =>
  Layer.effect(ConsoleServer, make(options))

// ---- internal

const known = KnownOptions.make<Options>(
  { clusters: true, files: true, version: true, write: true },
  '{ clusters, files, version: "1.0.0" }'
)

const loopbackPort = (address: HttpServer.HttpServer["Service"]["address"]): Effect.Effect<number, NotLoopback> => {
  const text = HttpServer.formatAddress(address)
  const [, host = "", port] = /^http:\/\/(.*):(\d+)$/.exec(text) ?? []
  return port !== undefined && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(host)
    ? Effect.succeed(Number(port))
    : Effect.fail(
        new NotLoopback({
          address: text,
          message: `the console would listen on ${text}, which other machines may reach; listen on 127.0.0.1`
        })
      )
}
