/**
 * What the sessions of a process measure, as Effect metrics.
 *
 * All sessions of a process add to the same metrics: counters grow by what each did, and those of a state (in flight,
 * watches, sessions) rise and fall. They are brought up to date with each heartbeat and when a connection ends, not with
 * each request, so that they cost a request nothing.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"

/**
 * From the turn in which a request was sent to its reply, in milliseconds. Under load a sample: at most 1,024 requests
 * between two heartbeats.
 *
 * @category metrics
 * @since 0.1.0
 */
export const latency = Metric.histogram("zookeeper_request_latency_ms", {
  description: "Time from sending a request to its reply, in milliseconds",
  boundaries: Metric.exponentialBoundaries({ start: 0.125, factor: 2, count: 18 })
})

/** Replies to requests. @category metrics @since 0.1.0 */
export const requests = Metric.counter("zookeeper_requests_total", {
  description: "Requests that were answered",
  incremental: true
})

/** Requests whose replies are on the way. @category metrics @since 0.1.0 */
export const inFlight = Metric.counter("zookeeper_requests_in_flight", {
  description: "Requests whose replies are on the way"
})

/** Requests that wait for a connection or for their turn. @category metrics @since 0.1.0 */
export const waiting = Metric.counter("zookeeper_requests_waiting", {
  description: "Requests that wait for a connection or for their turn"
})

/** @category metrics @since 0.1.0 */
export const bytesSent = Metric.counter("zookeeper_sent_bytes_total", {
  description: "Bytes sent to servers",
  incremental: true
})

/** @category metrics @since 0.1.0 */
export const bytesReceived = Metric.counter("zookeeper_received_bytes_total", {
  description: "Bytes received from servers",
  incremental: true
})

/** Watch events that servers sent. @category metrics @since 0.1.0 */
export const events = Metric.counter("zookeeper_watch_events_total", {
  description: "Watch events received",
  incremental: true
})

/** Watches that applications wait for. @category metrics @since 0.1.0 */
export const watches = Metric.counter("zookeeper_watches", {
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
export const sessions = Metric.counter("zookeeper_sessions", { description: "Sessions by state" })
