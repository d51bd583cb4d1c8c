/** The metrics as Effect's exporters write them: Prometheus' text, and OpenTelemetry's protocol. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as TestClock from "effect/testing/TestClock"
import { connect, exists, watchData } from "../support/session.ts"
import { now } from "../support/time.ts"
import { answerExists } from "../support/answers.ts"
import { itAlone } from "../support/logs.ts"

/** A session that has answered two requests, one of them with an error, and has a watch and a request on its way. */
const work = Effect.gen(function* () {
  const { server, session } = yield* connect({ sessionTimeout: "9 seconds" })
  for (const code of [0, -101]) {
    const asking = yield* Effect.forkChild(Effect.exit(exists(session, "/x")), now)
    const { xid } = yield* server.nextRequest
    yield* TestClock.adjust("20 millis")
    if (code === 0) answerExists(server, xid)
    else server.reply(xid, 1n, code)
    yield* Fiber.join(asking)
  }
  yield* watchData(session, server, "/watched")
  yield* Effect.forkScoped(Effect.exit(exists(session, "/unanswered")), now)
  // The next heartbeat brings the metrics up to date.
  yield* TestClock.adjust("3 seconds")
})

describe("metrics", () => {
  itAlone("are scraped by Prometheus with their kinds, in seconds and bytes, by operation and outcome", function* () {
    yield* work
    const lines = (yield* PrometheusMetrics.format()).split("\n")
    for (const line of [
      "# TYPE zookeeper_requests_in_flight gauge",
      "zookeeper_requests_in_flight 1",
      "# TYPE zookeeper_watches gauge",
      "zookeeper_watches 1",
      "# TYPE zookeeper_sessions gauge",
      'zookeeper_sessions{state="Connected"} 1',
      "# TYPE zookeeper_requests_total counter",
      'zookeeper_requests_total{operation="exists",outcome="Ok"} 1',
      'zookeeper_requests_total{operation="exists",outcome="NoNode"} 1',
      "# TYPE zookeeper_sent_bytes_total counter",
      "# TYPE zookeeper_request_duration_seconds histogram",
      'zookeeper_request_duration_seconds_bucket{operation="exists",le="0.01"} 0',
      'zookeeper_request_duration_seconds_bucket{operation="exists",le="0.025"} 2',
      'zookeeper_request_duration_seconds_count{operation="exists"} 2'
    ]) {
      assert.include(lines, line)
    }
  })

  itAlone("are exported to OpenTelemetry with their kinds, units and attributes", function* () {
    const bodies: Array<any> = []
    const collector = HttpClient.make((request) =>
      Effect.sync(() => {
        if (request.body._tag === "Uint8Array") bodies.push(JSON.parse(new TextDecoder().decode(request.body.body)))
        return HttpClientResponse.fromWeb(request, Response.json({}))
      })
    )
    yield* Layer.build(
      OtlpMetrics.layer({
        url: "http://collector/v1/metrics",
        resource: { serviceName: "test" },
        exportInterval: "1 second"
      }).pipe(Layer.provide([OtlpSerialization.layerJson, Layer.succeed(HttpClient.HttpClient, collector)]))
    )
    yield* work
    yield* TestClock.adjust("1 second")
    const { metrics } = bodies.at(-1).resourceMetrics[0].scopeMetrics[0]
    const metric = (name: string) => metrics.find((candidate: { name: string }) => candidate.name === name)
    for (const name of ["zookeeper_requests_in_flight", "zookeeper_watches", "zookeeper_sessions"]) {
      assert.isDefined(metric(name).gauge, name)
    }
    assert.isTrue(metric("zookeeper_requests_total").sum.isMonotonic)
    assert.strictEqual(metric("zookeeper_request_duration_seconds").unit, "s")
    assert.strictEqual(metric("zookeeper_sent_bytes_total").unit, "By")
    const points = metric("zookeeper_requests_total").sum.dataPoints.map(
      ({ attributes }: { attributes: ReadonlyArray<{ key: string; value: { stringValue: string } }> }) =>
        attributes.map(({ key, value }) => `${key}=${value.stringValue}`).join(" ")
    )
    assert.include(points, "operation=exists outcome=NoNode")
  })
})
