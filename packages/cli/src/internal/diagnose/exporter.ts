/** `zk exporter`: the members and the canaries, for Prometheus. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Http from "node:http"
import * as Canary from "../../Canary.ts"
import * as Diagnosis from "../../Diagnosis.ts"
import * as MemberStatus from "../../MemberStatus.ts"
import { Client } from "../frame/Client.ts"
import { ListenFailed, UsageError } from "../frame/errors.ts"
import { Printer, printOne } from "../output/Printer.ts"
import { canaryFamilies, type CanaryTotals, memberFamilies, noTotals, type Operation } from "./exportedMetrics.ts"
import { canaryOptions } from "./memberHealth.ts"
import { followMembers, intervalOf, makeAsk, withinOf } from "./network.ts"
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
  const { mode, note } = yield* Printer
  const timeout = yield* withinOf(input.within)
  const interval = yield* intervalOf(input.interval)
  const { host, port } = yield* parseListen(input.listen)
  const files = yield* httpsFilesOf(input)
  const node = files === undefined ? Http.createServer() : yield* makeHttpsServer(files)
  const ask = yield* makeAsk(input.adminPort, timeout)
  const totals = new Map<string, CanaryTotals>()
  const canaries = yield* FiberMap.make<string>()
  const options = canaryOptions({ settings, path: input.path, timeout })
  /** Each member has a canary, and a member that has gone has none. */
  const probe = Effect.fnUntraced(function* (servers: ReadonlyArray<ServerAddress>) {
    const named = new Map(servers.map((server) => [format(server), server]))
    for (const name of totals.keys()) {
      if (named.has(name)) continue
      totals.delete(name)
      yield* FiberMap.remove(canaries, name)
    }
    for (const [name, server] of named) {
      if (totals.has(name)) continue
      const own = noTotals(name)
      totals.set(name, own)
      yield* FiberMap.run(canaries, name, runCanary(server, options, own, interval))
    }
  })
  const servers = yield* followMembers(input.discover, input.noCanary ? () => Effect.void : probe)
  const metrics = Effect.map(
    Effect.suspend(() => MemberStatus.askAllBy(servers(), ask)),
    (found) =>
      HttpServerResponse.text(
        Prometheus.format([...memberFamilies(found), ...(input.noCanary ? [] : canaryFamilies([...totals.values()]))]),
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
  const url = `${files === undefined ? "http" : "https"}://${format({ host, port: bound })}/metrics`
  const names = servers().map(format)
  yield* mode === "text"
    ? note(`metrics of ${names.join(", ")} are at ${url}`)
    : printOne(Diagnosis.Metrics, { url, servers: names }, () => "")
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
