/**
 * The measurements of all sessions of a process, as Effect metrics.
 *
 * All sessions of a process add to the same metrics: counters grow by what each did, and gauges (in flight, waiting,
 * watches, sessions) are sums that rise and fall. They are brought up to date with each heartbeat and when a connection
 * ends, not with each request, so that they cost a request next to nothing. An exporter reads values that are at most as old
 * as the last heartbeat: a third of the session timeout.
 *
 * Names and units are those of Prometheus: seconds and bytes. Exporters for OpenTelemetry get the unit from the attribute
 * `unit`.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import { durationBoundaries } from "./internal/metrics/durationBoundaries.ts"

/**
 * From the turn in which a request was sent to its reply, in seconds, by `operation` (a name of the operation table, such
 * as `getData`). Under load a sample: at most 1,024 requests between two heartbeats.
 *
 * @category metrics
 * @since 0.1.0
 */
export const duration = Metric.histogram("zookeeper_request_duration_seconds", {
  description: "Time from sending a request to its reply, in seconds",
  attributes: { unit: "seconds" },
  boundaries: durationBoundaries
})

/**
 * Requests that were answered, by `operation` and by `outcome`: `Ok`, or ZooKeeper's name of the error, such as `NoNode`.
 * The operations of a transaction count as one request, `multi`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const requests = Metric.counter("zookeeper_requests_total", {
  description: "Requests that were answered, by operation and outcome",
  incremental: true
})

/** Requests whose replies are on the way. @category metrics @since 0.1.0 */
export const inFlight = Metric.gauge("zookeeper_requests_in_flight", {
  description: "Requests whose replies are on the way"
})

/** Requests that wait for a connection or for their turn. @category metrics @since 0.1.0 */
export const waiting = Metric.gauge("zookeeper_requests_waiting", {
  description: "Requests that wait for a connection or for their turn"
})

/** Bytes sent to servers. @category metrics @since 0.1.0 */
export const bytesSent = Metric.counter("zookeeper_sent_bytes_total", {
  description: "Bytes sent to servers",
  attributes: { unit: "bytes" },
  incremental: true
})

/** Bytes received from servers. @category metrics @since 0.1.0 */
export const bytesReceived = Metric.counter("zookeeper_received_bytes_total", {
  description: "Bytes received from servers",
  attributes: { unit: "bytes" },
  incremental: true
})

/** Watch events that servers sent. @category metrics @since 0.1.0 */
export const events = Metric.counter("zookeeper_watch_events_total", {
  description: "Watch events received",
  incremental: true
})

/** Watches that applications wait for. @category metrics @since 0.1.0 */
export const watches = Metric.gauge("zookeeper_watches", {
  description: "Watches that applications wait for"
})

/** Connections that were lost or left. @category metrics @since 0.1.0 */
export const connectionsLost = Metric.counter("zookeeper_connections_lost_total", {
  description: "Connections that were lost or left",
  incremental: true
})

/** Sessions that ended by expiry. @category metrics @since 0.1.0 */
export const sessionsExpired = Metric.counter("zookeeper_sessions_expired_total", {
  description: "Sessions that ended by expiry",
  incremental: true
})

/**
 * Sessions of this process by their state, in the attribute `state`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const sessions = Metric.gauge("zookeeper_sessions", { description: "Sessions by state" })
