/** `zk exporter`: the members and the canaries, for Prometheus. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Http from "node:http"
import * as Canary from "../../Canary.ts"
import * as MemberStatus from "../../MemberStatus.ts"
import { Client } from "../frame/Client.ts"
import { parseDuration } from "../frame/durations.ts"
import { ListenFailed, UsageError } from "../frame/errors.ts"
import { Printer } from "../output/Printer.ts"
import { canaryFamilies, type CanaryTotals, memberFamilies, noTotals, type Operation } from "./exportedMetrics.ts"
import { canaryOptions } from "./memberHealth.ts"
import { makeAsk, members, withinOf } from "./network.ts"
import { httpsFilesOf, makeHttpsServer } from "./https.ts"
import * as Prometheus from "./prometheus.ts"

export interface Input {
  readonly listen: string
  readonly interval: string
  readonly noCanary: boolean
  readonly path: string
  readonly adminPort: number | undefined
  readonly discover: boolean
  readonly within: string
  readonly httpsCert: string | undefined
  readonly httpsKey: string | undefined
  readonly httpsCa: string | undefined
}

/** It runs until it is interrupted. */
export const exporter = Effect.fnUntraced(function* (input: Input) {
  const { settings } = yield* Client
  const { note } = yield* Printer
  const timeout = yield* withinOf(input.within)
  const interval = yield* parseDuration("--interval", input.interval)
  const { host, port } = yield* parseListen(input.listen)
  const files = yield* httpsFilesOf(input)
  const node = files === undefined ? Http.createServer() : yield* makeHttpsServer(files)
  const servers = yield* members(input.discover)
  const ask = yield* makeAsk(input.adminPort, timeout)
  const totals = servers.map((server) => noTotals(format(server)))
  if (!input.noCanary) {
    const options = canaryOptions({ settings, path: input.path, timeout })
    yield* Effect.forEach(servers, (server, index) => {
      const own = totals[index]
      return own === undefined ? Effect.void : Effect.forkScoped(runCanary(server, options, own, interval))
    })
  }
  const metrics = Effect.map(MemberStatus.askAllBy(servers, ask), (found) =>
    HttpServerResponse.text(
      Prometheus.format([...memberFamilies(found), ...(input.noCanary ? [] : canaryFamilies(totals))]),
      { contentType: Prometheus.contentType }
    )
  )
  const app = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ method, url }) => {
    const path = url.replace(/\?.*$/, "")
    if (path !== "/metrics")
      return Effect.succeed(HttpServerResponse.text("the metrics are at /metrics\n", { status: 404 }))
    if (method !== "GET" && method !== "HEAD") {
      return Effect.succeed(HttpServerResponse.text("only GET is answered\n", { status: 405 }))
    }
    return metrics
  })
  const server = yield* NodeHttpServer.make(() => node, { host, port, gracefulShutdownTimeout: "1 second" }).pipe(
    Effect.mapError(({ cause }) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      return new ListenFailed({ message: `cannot listen on ${input.listen}: ${reason}; choose another with --listen` })
    })
  )
  // A client that has sent half a request must not delay the end.
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  yield* server.serve(app)
  const address = node.address()
  const bound = typeof address === "object" && address !== null ? address.port : port
  yield* note(
    `metrics of ${servers.map(format).join(", ")} are at ${files === undefined ? "http" : "https"}://${format({ host, port: bound })}/metrics`
  )
  return yield* Effect.never
})

// ---- internal

const parseListen = (listen: string) => {
  const [, host = "", port] = /^(?:\[?([^\]]*)\]?:)?(\d{1,5})$/.exec(listen) ?? []
  return port === undefined || Number(port) > 65_535
    ? Effect.fail(new UsageError({ message: `--listen ${JSON.stringify(listen)} is no address; write host:port` }))
    : Effect.succeed({ host: host === "" ? "127.0.0.1" : host, port: Number(port) })
}

/** A session that is probed at each interval. A session that could not be made is tried again at the next one. */
const runCanary = (
  server: ServerAddress,
  options: Canary.Options,
  totals: CanaryTotals,
  interval: Duration.Duration
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const [elapsed, made] = yield* Effect.timed(Effect.exit(Scope.provide(Canary.make(server, options), scope)))
    if (Exit.isFailure(made)) {
      yield* Scope.close(scope, Exit.void)
      totals.ready = false
      record(totals, "connect", undefined)
      return
    }
    record(totals, "connect", Duration.toMillis(elapsed))
    const writes = options.writes !== false
    yield* Effect.repeat(
      Effect.map(made.value.probe, ({ problems, read, readOnly, watch, write }) => {
        record(totals, "read", read)
        if (writes && !readOnly) {
          record(totals, "write", write)
          // There is nothing to wait for where the write was refused.
          if (watch !== undefined || write === undefined) record(totals, "watch", watch)
        }
        totals.ready = read !== undefined && !readOnly && (write !== undefined || (!writes && problems.length === 0))
      }),
      Schedule.spaced(interval)
    )
  }).pipe(Effect.scoped, Effect.repeat(Schedule.spaced(interval)), Effect.asVoid)

const record = ({ operations }: CanaryTotals, operation: Operation, millis: number | undefined): void => {
  const totals = operations[operation]
  totals.last = millis
  if (millis === undefined) totals.failures++
  else {
    totals.count++
    totals.sum += millis
  }
}
