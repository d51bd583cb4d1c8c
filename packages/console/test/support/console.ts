/** A console on a server of its own, and pages of it without a browser. */
import type { Cluster } from "@effect-zookeeper/console/Cluster"
import * as ConsoleServer from "@effect-zookeeper/console/ConsoleServer"
import * as Format from "@effect-zookeeper/console/Format"
import type { PageFiles } from "@effect-zookeeper/console/PageFiles"
import * as Protocol from "@effect-zookeeper/console/Protocol"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { freshPath } from "@effect-zookeeper/test-kit/TestServer"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpServer from "effect/http/HttpServer"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import * as Http from "node:http"
import type { Duplex } from "node:stream"

/** A page, as its script sees the server. */
export type Page = RpcClient.FromGroup<typeof Protocol.Console, RpcClientError>

export interface Running {
  readonly url: string
  readonly port: number
  readonly token: string
  /** Opens another page. */
  readonly open: Effect.Effect<Page, never, Scope.Scope>
}

export interface Options {
  readonly clusters: ReadonlyArray<Cluster>
  readonly write?: boolean
  readonly files?: PageFiles
}

/** Starts a console on a free port; it ends with the Scope. */
export const start = Effect.fnUntraced(function* ({ clusters, files = new Map(), write = false }: Options) {
  const node = Http.createServer()
  const sockets = new Set<Duplex>()
  node.on("upgrade", (_, socket) => sockets.add(socket))
  // It waits for the WebSockets at its end, and is made with the first of them: in a Scope of its own, it ends after they do.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const server = yield* NodeHttpServer.make(() => node, {
    host: "127.0.0.1",
    port: 0,
    disablePreemptiveShutdown: true,
    websocket: { maxPayload: ConsoleServer.maxMessageSize }
  }).pipe(Scope.provide(scope))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      node.closeAllConnections()
      for (const socket of sockets) socket.destroy()
    })
  )
  const { link, url } = yield* ConsoleServer.make({ clusters, files, write, version: "1.2.3" }).pipe(
    Effect.provideService(HttpServer.HttpServer, server),
    Effect.provide(NodeServices.layer)
  )
  const token = new URLSearchParams(new URL(Redacted.value(link)).hash.slice(1)).get(Protocol.tokenParameter) ?? ""
  const port = Number(new URL(url).port)
  return { url, port, token, open: openPage(port, token) } satisfies Running
}, Effect.orDie)

/** A connection as a browser makes it. */
export const openPage = (port: number, token: string): Effect.Effect<Page, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = Socket.layerWebSocket(`ws://127.0.0.1:${port}${Protocol.socketPath}`, {
      protocols: Protocol.subprotocols(token),
      headers: { origin: `http://127.0.0.1:${port}` }
    }).pipe(Layer.provide(NodeWS.layerWebSocketConstructor))
    const protocol = yield* Layer.build(
      RpcClient.layerProtocolSocket().pipe(Layer.provide([socket, RpcSerialization.layerJson]))
    )
    return yield* Effect.provideContext(RpcClient.make(Protocol.Console), protocol)
  })

export interface OnServer extends Running {
  /** A client of the cluster's chroot, with a session of its own. */
  readonly zk: ZooKeeper.Service
  readonly page: Page
  readonly chroot: string
  /** A connection of the console to the server that can be broken. */
  readonly link: Effect.Success<Target["Service"]["link"]>
  /** How many clients the console has made. */
  readonly connects: () => number
}

interface ConsoleTests {
  /** A console that may write, with one cluster, `main`. */
  readonly console: TestWith<OnServer, Target>
}

/** The same tests on the embedded server and on real ZooKeeper, both over TCP. */
export const describeOnServers = (
  name: string,
  tests: (it: ConsoleTests) => void,
  files: Effect.Effect<PageFiles> = Effect.succeed(new Map())
): void => {
  for (const [where, target] of [
    ["the embedded server", Targets.embeddedTcp],
    ["real ZooKeeper", Targets.real]
  ] as const) {
    describe(`${name}, on ${where}`, () => {
      layer(target, { excludeTestServices: true })(({ effect }) =>
        tests({ console: testWith(effect, onServer(files)) })
      )
    })
  }
}

/** A form that the application of the tests knows. */
const flag = Format.make({
  name: "Flag",
  path: "/flags/:name",
  schema: Schema.Struct({ enabled: Schema.Boolean, key: Schema.optionalKey(Schema.Redacted(Schema.String)) })
})

const onServer = Effect.fnUntraced(function* (pageFiles: Effect.Effect<PageFiles>) {
  const target = yield* Target
  const chroot = freshPath("console")
  const root = yield* connectTo(target)
  yield* root.create(chroot)
  const link = yield* target.link
  let connects = 0
  const cluster: Cluster = {
    name: "main",
    servers: `${link.servers}${chroot}`,
    readOnly: undefined,
    formats: [flag],
    connect: Effect.suspend(() => {
      connects++
      return Effect.map(
        Layer.build(
          ZooKeeper.layer({
            connectTimeout: "1 second",
            servers: link.servers,
            chroot,
            sessionTimeout: "4 seconds",
            sessionExpiry: "recreate"
          })
        ),
        (context) => Context.get(context, ZooKeeper.ZooKeeper)
      )
    })
  }
  const running = yield* start({ clusters: [cluster], write: true, files: yield* pageFiles })
  return {
    ...running,
    chroot,
    link,
    zk: yield* root.withChroot(chroot),
    page: yield* running.open,
    connects: () => connects
  } satisfies OnServer
}, Effect.orDie)

/** The first element of a stream, which must have one. */
export const firstOf = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Stream.runHead(stream), (first) =>
    Option.isSome(first) ? Effect.succeed(first.value) : Effect.die("the stream is empty")
  )

/** Goes on as long as the stream does, and only then. */
export const forever = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<void, E, R> => Stream.runDrain(stream)
