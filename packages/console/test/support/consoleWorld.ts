/** An embedded ZooKeeper, the server of the console, and members, sessions and recipes that a test makes up. */
import { ZooKeeper } from "@effect-zookeeper/client"
import type { Found, Inspector } from "@effect-zookeeper/console/Cluster"
import * as ConsoleServer from "@effect-zookeeper/console/ConsoleServer"
import type { Finding, Member } from "@effect-zookeeper/console/EnsembleModels"
import type { Session } from "@effect-zookeeper/console/SessionModels"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import type { Socket } from "node:net"
import { pageFiles } from "./pageFiles.ts"

/** The answers of the inspector of the cluster; a test changes them while the page is open. */
export interface MadeUp {
  members: ReadonlyArray<Member>
  sessions: ReadonlyArray<Session>
  findings: ReadonlyArray<Finding>
  recipes: ReadonlyArray<Found>
}

/**
 * A server of the page on a free port; `write` as the option of `zk ui`, `version` as that of the embedded ZooKeeper. Besides
 * `local` and `prod`, which cannot be reached, there is a cluster for each name in `chroots`: the znode of this name, which has
 * to be there.
 */
export const makeWorld = Effect.fnUntraced(function* (
  options: {
    readonly write?: boolean
    readonly readOnly?: string
    readonly version?: "3.9"
    readonly chroots?: ReadonlyArray<string>
  } = {}
) {
  const { chroots = [], version } = options
  const context = yield* Effect.orDie(Layer.build(EmbeddedServer.layer(version === undefined ? {} : { version })))
  const server = Context.get(context, EmbeddedServer.EmbeddedServer)
  const connect = (chroot = "") =>
    Effect.map(
      Layer.build(
        ZooKeeper.layer({
          servers: `${server.connectString}${chroot}`,
          sessionTimeout: "10 seconds",
          sessionExpiry: "recreate"
        })
      ),
      (context) => Context.get(context, ZooKeeper.ZooKeeper)
    )
  const zk = yield* connect()
  const madeUp: MadeUp = { members: [], sessions: [], findings: [], recipes: [] }
  // The fibers that the server begins for a page end in this Scope, which closes after the browser, and not before it.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const start = Effect.fnUntraced(function* (port: number) {
    const files = yield* pageFiles
    const { drop, http, kill } = yield* httpServer(port)
    const running = yield* ConsoleServer.make({
      clusters: [
        {
          name: "local",
          servers: server.connectString,
          readOnly: options.readOnly,
          connect: connect(),
          inspector: inspectorOf(madeUp)
        },
        ...chroots.map((name) => ({
          name,
          servers: `${server.connectString}/${name}`,
          readOnly: undefined,
          connect: connect(`/${name}`)
        })),
        {
          name: "prod",
          servers: "zk1.example:2181,zk2.example:2181",
          readOnly: "the profile is read-only",
          connect: Effect.never
        }
      ],
      files,
      version: "0.0.0",
      write: options.write ?? true
    }).pipe(Effect.provideService(HttpServer.HttpServer, http), Effect.provide(NodeServices.layer))
    return { url: running.url, link: Redacted.value(running.link), kill, drop }
  })
  const serveOn = (port: number) => Scope.provide(start(port), scope)
  return { server, zk, madeUp, serve: serveOn(0), serveOn }
})

/**
 * An HTTP server on loopback. `kill` ends it as a killed process would: it listens no more, and its sockets are gone. `drop`
 * only takes the sockets.
 */
const httpServer = Effect.fnUntraced(function* (port: number) {
  const node = Http.createServer()
  const sockets = new Set<Socket>()
  node.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  const http = yield* NodeHttpServer.make(() => node, {
    host: "127.0.0.1",
    port,
    gracefulShutdownTimeout: "1 second",
    websocket: { maxPayload: ConsoleServer.maxMessageSize }
  })
  const drop = Effect.sync(() => {
    for (const socket of sockets) socket.destroy()
  })
  const kill = Effect.andThen(
    Effect.sync(() => node.close()),
    drop
  )
  return { http, kill, drop }
}, Effect.orDie)

/** The configuration knows all of them, or none. */
const membersOf = ({ members }: MadeUp) => {
  const voters = members.filter(({ role }) => role === "participant").length
  return { members, ...(voters === 0 ? {} : { voters }) }
}

const inspectorOf = (madeUp: MadeUp): Inspector => ({
  members: () => Effect.sync(() => membersOf(madeUp)),
  word: (server, word) => Effect.succeed(`${word} of ${server}\nMode: leader\n`),
  doctor: () => Effect.sync(() => madeUp.findings),
  sessions: Effect.sync(() => ({
    sessions: madeUp.sessions,
    problems: [],
    ephemerals: () => ["/workers/w-1", "/locks/report/lock-0000000001"].map((path) => ({ path, isInside: true }))
  })),
  watches: Effect.succeed({ problems: [], of: () => [{ path: "/app/config", isInside: true }] }),
  recipes: () => Stream.suspend(() => Stream.fromIterable(madeUp.recipes))
})
