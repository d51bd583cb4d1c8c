/**
 * The state of a session, and every change of it.
 *
 * A session is in one phase at a time. `transition` is the only place where it changes, and it refuses a phase that may not
 * follow, so that a final phase stays:
 *
 * | from                                | to                    | by             | when                                      |
 * | ----------------------------------- | --------------------- | -------------- | ----------------------------------------- |
 * | Connecting, Disconnected,           | Connected             | `connected`    | a server has made the session, or resumed |
 * | EnsembleBehind                      |                       |                | it                                        |
 * | Connecting, Disconnected,           | Provisional           | `connected`    | a read-only server serves reads under a   |
 * | EnsembleBehind                      |                       |                | session of its own                        |
 * | Connected, Provisional              | Disconnected          | `disconnected` | the connection is lost or left            |
 * | Connecting, EnsembleBehind          | Disconnected          | `disconnected` | it is left before its phase has begun     |
 * | Connecting, Disconnected            | EnsembleBehind        | `fallBehind`   | servers have seen less than the session   |
 * | Connecting, Disconnected,           | Expired               | `expire`       | a server says so, or none was heard for   |
 * | EnsembleBehind                      |                       |                | 4/3 of the timeout, or the servers have   |
 * |                                     |                       |                | seen less and `ensembleReset` is "accept" |
 * | Expired                             | Connecting            | `recreate`     | `sessionExpiry` is "recreate"             |
 * | all but Expired, AuthFailed, Closed | AuthFailed            | `failAuth`     | the credentials are refused or given up   |
 * | all but AuthFailed, Closed          | Closed                | `close`        | the owner closes or detaches, or a defect |
 *
 * Everything here is synchronous. The fibers that wait are those of `reconnectLoop`, which finds servers, and of
 * `ServerConnection`, which reads and writes.
 */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { ServerList } from "@effect-zookeeper/transport/ServerList"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { AuthFailed, SessionClosed, SessionExpired } from "../SessionError.ts"
import { AuthInfos } from "./auth/AuthInfos.ts"
import { CloseCoordinator } from "./CloseCoordinator.ts"
import { CloseRequest } from "./CloseRequest.ts"
import type { HandshakeResult } from "./connection/handshake.ts"
import { type ConnectionParts, ServerConnection } from "./connection/ServerConnection.ts"
import { FirstConnection } from "./FirstConnection.ts"
import { FrameHandler } from "./FrameHandler.ts"
import type { GuardCallback } from "./guardCallback.ts"
import { MetricsReporter, type Readings } from "./metrics/MetricsReporter.ts"
import { findWritableServer } from "./reconnect/findWritableServer.ts"
import { type FinalError, type OldestUnanswered, RequestPipeline } from "./requests/RequestPipeline.ts"
import { ServerCapabilities } from "./requests/ServerCapabilities.ts"
import { SessionRequests } from "./requests/SessionRequests.ts"
import type { SessionIdentity } from "./SessionIdentity.ts"
import type { SessionLog } from "./SessionLog.ts"
import { canFollow, isFinalPhase, type SessionPhase, stateOf } from "./SessionPhase.ts"
import { SessionStateRef } from "./SessionStateRef.ts"
import type { Settings } from "./Settings.ts"
import { Liveness } from "./time/Liveness.ts"
import { type Timer, TimerQueue } from "./time/TimerQueue.ts"
import { addWatchMode, WatchRegistry } from "./watches/WatchRegistry.ts"
import { WatchRestorer } from "./watches/WatchRestorer.ts"

/** The state of a session, the parts that it is made of, and the transitions between its phases. */
export class SessionMachine {
  readonly settings: Settings
  readonly transport: Transport["Service"]
  readonly clock: Clock.Clock
  /** Callbacks, log lines and metrics of the session run in the context that it was made in. */
  readonly context: Context.Context<never>
  readonly servers: ServerList
  readonly identity: SessionIdentity
  readonly log: SessionLog
  readonly state: SessionStateRef
  readonly capabilities: ServerCapabilities
  readonly pipeline: RequestPipeline
  readonly requests: SessionRequests
  /** All timers of the session and of its connections. */
  readonly timers: TimerQueue
  /** Limits an orderly departure from a connection, or, while there is none, the wait for a silent server. */
  readonly connectionTimer: Timer
  /** Limits the wait of the owner: for the first connection, then for the answer to the close request. */
  readonly connectOrCloseTimer: Timer
  readonly liveness: Liveness
  readonly closeCoordinator: CloseCoordinator
  readonly closeRequest: CloseRequest
  readonly authInfos: AuthInfos
  readonly watches: WatchRegistry
  readonly firstConnection: FirstConnection
  private phase: SessionPhase = { _tag: "Connecting" }
  /** The connection whose phase is about to begin: callbacks that run just before it may already want to leave it. */
  private upcoming: ServerConnection | undefined
  /** How often the history of the ensemble that the session had seen was given up. */
  history = 0
  private readonly watchRestorer: WatchRestorer
  private readonly frames: FrameHandler
  private readonly connectionParts: ConnectionParts
  private readonly metrics: MetricsReporter
  private connectionsLost = 0
  private sessionsExpired = 0
  /** Bytes of the connections that are gone. */
  private bytesSent = 0
  private bytesReceived = 0
  private hasWarnedOfMargin = false
  private closedError: SessionClosed | undefined
  private closedInFlight: SessionClosed | undefined

  constructor(options: {
    readonly settings: Settings
    readonly transport: Transport["Service"]
    readonly clock: Clock.Clock
    readonly context: Context.Context<never>
    readonly servers: ServerList
    readonly identity: SessionIdentity
    readonly log: SessionLog
    readonly firstXid: number
    readonly guardCallback: GuardCallback
  }) {
    const { clock, context, guardCallback, settings } = options
    this.settings = settings
    this.transport = options.transport
    this.clock = clock
    this.context = context
    this.servers = options.servers
    this.identity = options.identity
    this.log = options.log
    this.metrics = new MetricsReporter(context)
    this.state = new SessionStateRef(settings.sessionExpiry === "fail", guardCallback)
    this.firstConnection = new FirstConnection(guardCallback, settings.firstConnection === "background")
    const now = () => this.liveness.now()
    this.capabilities = new ServerCapabilities(now)
    this.pipeline = new RequestPipeline(settings, options.firstXid, guardCallback, this.capabilities)
    this.requests = new SessionRequests({
      pipeline: this.pipeline,
      capabilities: this.capabilities,
      now,
      hasTimeout: settings.requestTimeout !== undefined,
      isConnected: () => this.connection !== undefined
    })
    this.timers = new TimerQueue(clock, context, guardCallback)
    this.connectionTimer = this.timers.makeTimer()
    this.connectOrCloseTimer = this.timers.makeTimer()
    const heartbeatTimer = this.timers.makeTimer()
    this.liveness = new Liveness({ ...settings, clock, timers: this.timers, guardCallback })
    this.closeCoordinator = new CloseCoordinator(this.timers, guardCallback, settings.closeTimeout)
    this.closeRequest = new CloseRequest({
      session: this,
      pipeline: this.pipeline,
      timers: this.timers,
      closeCoordinator: this.closeCoordinator,
      refusal: this.closedWith
    })
    this.authInfos = new AuthInfos(settings.auth, guardCallback, now)
    if (settings.session !== undefined) this.liveness.expectExpiry()
    this.watches = new WatchRegistry(
      {
        addWatch: (path, mode) =>
          this.requests.command(Operations.addWatch, { path, mode: addWatchMode[mode] }, () =>
            this.watches.confirmMode(path, mode)
          ),
        removeWatches: (path, type) => {
          if (this.capabilities.isDoubtful(Operations.removeWatches)) return
          this.requests.command(Operations.removeWatches, { path, type })
        }
      },
      guardCallback
    )
    this.watchRestorer = new WatchRestorer(this.pipeline, this.watches, settings.maxRequestSize)
    this.frames = new FrameHandler({
      pipeline: this.pipeline,
      authInfos: this.authInfos,
      capabilities: this.capabilities,
      watches: this.watches,
      liveness: this.liveness,
      metrics: this.metrics,
      identity: this.identity,
      failAuth: (error) => this.failAuth(error)
    })
    this.connectionParts = {
      pipeline: this.pipeline,
      liveness: this.liveness,
      log: this.log,
      heartbeatTimer,
      leaveTimer: this.connectionTimer,
      handleFrame: this.frames.handle,
      oldestUnanswered: () => this.oldestUnanswered,
      sendProof: () => this.requests.sendProof(),
      report: () => this.report(),
      findWritableServer: Effect.suspend(() => findWritableServer(this.transport, this.servers))
    }
  }

  // ---------------------------------------------------------------------------
  // the phase
  // ---------------------------------------------------------------------------

  /** Goes over to another phase and tells the followers of the state; does nothing if that phase may not follow. */
  private transition(to: SessionPhase): void {
    if (!canFollow(this.phase, to)) return
    this.phase = to
    this.state.set(stateOf(to))
  }

  /** Whether no other phase can follow. */
  get isFinal(): boolean {
    return isFinalPhase(this.phase)
  }

  get isEnsembleBehind(): boolean {
    return this.phase._tag === "EnsembleBehind"
  }

  /** Whether the connection serves reads under a provisional session. */
  get isProvisional(): boolean {
    return this.phase._tag === "Provisional"
  }

  /** Whether ClickHouse Keeper has the session. */
  get isEndedUnsaid(): boolean {
    return this.capabilities.isKeeper
  }

  /** The connection of this phase, in use or not. */
  private get phaseConnection(): ServerConnection | undefined {
    return "connection" in this.phase ? this.phase.connection : undefined
  }

  /** The connection that the session uses, if there is one. */
  get connection(): ServerConnection | undefined {
    const connection = this.phaseConnection
    return connection?.isInUse === true ? connection : undefined
  }

  /** Whether there is a session that servers know of, and that only they can end. */
  get hasLiveSession(): boolean {
    const { id } = this.identity
    return id !== 0n && id === this.liveness.sessionId && !this.isFinal
  }

  // ---------------------------------------------------------------------------
  // connections
  // ---------------------------------------------------------------------------

  /** Makes the object for a connection whose handshake is done. It serves from `connected` until `disconnected`. */
  makeConnection(handshake: HandshakeResult, isProvisional: boolean): ServerConnection {
    return new ServerConnection(this.connectionParts, handshake, isProvisional)
  }

  /** A server gave the session, or a new one: auth infos are sent first, then watches, then requests. */
  connected(connection: ServerConnection): void {
    const { framed, isProvisional, isReadOnly, response, sentAt, server } = connection
    this.upcoming = connection
    if (!isProvisional) {
      const { sessionId, timeOut: timeout } = response
      const isNew = this.identity.granted(response, isReadOnly)
      const canProve = !isReadOnly
      this.liveness.sessionEstablished({ sessionId, timeout, sentAt, now: framed.heardAt, isNew, canProve })
      this.warnOfMargin(timeout)
    }
    this.capabilities.connected(server, connection.isKeeper)
    // A caller that hears of it now and sends a request finds no connection yet, and waits behind auth infos and watches.
    this.transition({ _tag: isProvisional ? "Provisional" : "Connected", connection })
    this.upcoming = undefined
    connection.isInUse = true
    this.authInfos.replay(framed, () => {
      this.pipeline.open(framed)
      if (connection.isKeeper) this.requests.askForFeatures(() => this.beginRequests())
      else this.beginRequests()
    })
    framed.schedule()
    this.authInfos.whenAnswered(() => this.firstConnection.made())
  }

  /** A new connection takes requests: watches are registered first, then those that wait are sent. */
  private beginRequests(): void {
    this.watchRestorer.begin(this.capabilities.supports(Operations.setWatches2.name))
    this.pipeline.pump()
    this.closeRequest.connected()
  }

  private warnOfMargin(timeout: number): void {
    const { ownershipMargin, refusedMargin } = this.settings
    const asked = refusedMargin(timeout)
    if (this.hasWarnedOfMargin || asked === undefined) return
    this.hasWarnedOfMargin = true
    const message = `ownershipMargin is ${asked} ms, more than half of the session timeout of ${timeout} ms that the server granted; a margin of ${ownershipMargin(timeout)} ms is used instead. Choose a smaller one, or a longer sessionTimeout that the server grants (maxSessionTimeout)`
    this.log.write(undefined, Effect.logWarning(message))
  }

  /** The connection is lost or left. */
  disconnected(connection: ServerConnection): void {
    this.upcoming = undefined
    connection.end()
    this.withdraw(connection)
    this.liveness.disconnected()
    this.connectionsLost++
    this.transition({ _tag: "Disconnected", since: this.clock.monotonicTimeNanosUnsafe() })
    this.pipeline.disconnect()
    this.watchRestorer.disconnected()
    const dropped = this.authInfos.disconnected()
    if (dropped !== undefined) this.failAuth(dropped)
  }

  /** The session no longer uses a connection. */
  private withdraw(connection: ServerConnection): void {
    if (!connection.isInUse) return
    connection.isInUse = false
    this.bytesSent += connection.framed.bytesOut
    this.bytesReceived += connection.framed.bytesIn
  }

  /** The session should be with another server: the connection, if there is one, is left in good order. */
  leaveInGoodOrder(): void {
    const connection = this.phaseConnection ?? this.upcoming
    connection?.leaveInGoodOrder()
  }

  /** Asks for signs of life at once, because the machine may have slept. */
  pingNow(): void {
    this.connection?.framed.ping()
    this.phaseConnection?.heartbeat.check()
  }

  /** Has the next look at the connection come by the time at which a proof is due. */
  expectProof(): void {
    this.phaseConnection?.heartbeat.checkBy(this.liveness.proofDue)
  }

  /** The oldest request or credentials without an answer, pings apart. */
  private get oldestUnanswered(): OldestUnanswered | undefined {
    const { oldestUnanswered: authInfo } = this.authInfos
    const { oldestUnanswered: request } = this.pipeline
    return authInfo === undefined || (request !== undefined && request.since < authInfo.since) ? request : authInfo
  }

  // ---------------------------------------------------------------------------
  // without a connection
  // ---------------------------------------------------------------------------

  /** The servers have seen less than the session. */
  fallBehind(): void {
    this.transition({ _tag: "EnsembleBehind" })
  }

  /** Everything that the session has seen is given up: the next one may see less. */
  forgetHistory(): void {
    this.history++
    this.pipeline.lastZxid = 0n
    this.watchRestorer.forgetHistory()
  }

  /** The session is over, because a server says so or because no server was heard for too long. */
  expire(): void {
    const sessionId = this.identity.id
    const expired = new SessionExpired({ sessionId })
    const error = () => expired
    const ending = (maybeApplied: boolean) => (maybeApplied ? new SessionExpired({ sessionId, maybeApplied }) : expired)
    this.sessionsExpired++
    this.identity.forget()
    this.liveness.forgetExpiry()
    this.liveness.lapse()
    this.closeCoordinator.sessionEnded()
    this.closeRequest.sessionEnded()
    this.transition({ _tag: "Expired" })
    if (this.settings.sessionExpiry === "fail") this.end(ending, error)
    else {
      // Requests first: a caller that hears of something else and asks again then asks the next session.
      this.pipeline.failAll(ending, { final: false })
      this.authInfos.fail(error)
      this.watches.failOneShots(error)
    }
  }

  /** A new session is to take the place of the one that has expired. */
  recreate(): void {
    this.transition({ _tag: "Connecting" })
  }

  // ---------------------------------------------------------------------------
  // ends
  // ---------------------------------------------------------------------------

  /** The credentials were refused: nothing is sent any more. */
  failAuth(error: AuthFailed): void {
    this.liveness.end()
    this.transition({ _tag: "AuthFailed", connection: this.phaseConnection })
    this.closeCoordinator.sessionEnded()
    this.closeRequest.sessionEnded()
    this.end((maybeApplied) => (maybeApplied ? new AuthFailed({ ...error, maybeApplied }) : error), this.closed)
  }

  /** The owner no longer needs the session. */
  close(): void {
    const connection = this.phaseConnection
    if (connection !== undefined) this.withdraw(connection)
    this.liveness.end()
    this.transition({ _tag: "Closed" })
    this.end(this.closedWith, this.closed)
  }

  private end(error: FinalError, watchError: () => SessionExpired | SessionClosed): void {
    this.watches.end(watchError)
    this.authInfos.fail(() => error(false))
    this.pipeline.failAll(error, { final: true })
  }

  /** The error is made when it is needed, once for all: an error with its stack costs as much as some fibers. */
  private readonly closed = (): SessionClosed => (this.closedError ??= new SessionClosed())

  /** The error of a session that was closed, for a request that may have been applied, or for another. */
  readonly closedWith = (maybeApplied: boolean): SessionClosed =>
    maybeApplied ? (this.closedInFlight ??= new SessionClosed({ maybeApplied })) : this.closed()

  // ---------------------------------------------------------------------------
  // metrics
  // ---------------------------------------------------------------------------

  /** Brings the metrics of the process up to date. */
  report(): void {
    this.metrics.report(this.readings(), this.isFinal ? undefined : this.state.current._tag)
  }

  private readings(): Readings {
    const framed = this.connection?.framed
    return {
      bytesSent: this.bytesSent + (framed?.bytesOut ?? 0),
      bytesReceived: this.bytesReceived + (framed?.bytesIn ?? 0),
      events: this.frames.events,
      connectionsLost: this.connectionsLost,
      sessionsExpired: this.sessionsExpired,
      // Proofs are no requests of the application.
      inFlight: this.pipeline.inFlightCount - this.pipeline.proofsInFlightCount,
      waiting: this.pipeline.waitingCount,
      watches: this.watches.size
    }
  }
}
