import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { ServerList } from "@effect-zookeeper/transport/ServerList"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { SessionCredentials } from "../Session.ts"
import { AuthFailed, ServerRefused, SessionClosed, type SessionError, SessionExpired } from "../SessionError.ts"
import { withLogAnnotations } from "./logAnnotations.ts"
import { TimerQueue, type Timer } from "./time/TimerQueue.ts"
import type { GuardCallback } from "./guardCallback.ts"
import { CloseCoordinator } from "./CloseCoordinator.ts"
import type { HandshakeResult } from "./connection/handshake.ts"
import {
  type OldestUnanswered,
  type FinalError,
  RequestPipeline,
  replyExit,
  readReplyHeader,
  type ReplyHeader
} from "./requests/RequestPipeline.ts"
import { AuthInfos } from "./auth/AuthInfos.ts"
import type { FramedConnection } from "./connection/FramedConnection.ts"
import { Liveness } from "./time/Liveness.ts"
import { MetricsReporter, type Readings } from "./metrics/MetricsReporter.ts"
import { type OnLoss, PendingRequest, type Resume } from "./requests/PendingRequest.ts"
import { ServerCapabilities } from "./requests/ServerCapabilities.ts"
import type { Settings } from "./Settings.ts"
import type { SessionStateRef } from "./SessionStateRef.ts"
import { ProtocolViolation } from "./requests/ProtocolViolation.ts"
import { WatchRestorer } from "./watches/WatchRestorer.ts"
import { addWatchMode, type WatchCommands, WatchRegistry } from "./watches/WatchRegistry.ts"

const watcherEvent = Jute.codec(Records.WatcherEvent)

const noPassword = new Uint8Array(16)

/** What a proof asks for: that the root is there, whatever its version. */
const proofRequest: Operation.Request<typeof Operations.multi> = [
  { operation: "check", request: { path: "/", version: -1 } }
]

/**
 * What a session is at this moment, and what each frame does to it. Everything here is synchronous: the fibers that dial,
 * read, write and wait stand in `reconnectLoop` and `serveConnection`.
 */
export class SessionMachine {
  readonly settings: Settings
  readonly transport: Transport["Service"]
  readonly clock: Clock.Clock
  /** What the session was made in: what it calls back, logs and counts runs in it. */
  readonly context: Context.Context<never>
  readonly servers: ServerList
  readonly state: SessionStateRef
  readonly pipeline: RequestPipeline
  /** All times of the session: its own, and those of the connection that it stands on or tries to make. */
  readonly timers: TimerQueue
  /** How long a connection may take to be left, or, while there is none, the next server is waited with. */
  readonly connectionTimer: Timer
  /** How long the owner waits: for the first connection, then for the answer to its close request. */
  readonly connectOrCloseTimer: Timer
  /** When a sign of life is due, or the server's silence too long. */
  readonly heartbeat: Timer
  readonly liveness: Liveness
  readonly closeCoordinator: CloseCoordinator
  readonly authInfos: AuthInfos
  readonly capabilities: ServerCapabilities
  readonly watches: WatchRegistry
  /** The connection that requests go to, if there is one. */
  connection: FramedConnection | undefined
  /** The session to present at the next handshake; id 0 asks for a new one. */
  credentials: SessionCredentials
  /**
   * Whether a server with a quorum knows the session. One that comes from a read-only server means nothing to others and
   * is not presented to them.
   */
  isKnownToEnsemble: boolean
  /** A server has said that the session is over. */
  isExpiredByServer = false
  /** Whether the current connection serves reads under a passing session while ours waits for a quorum. */
  isProvisional = false
  /** Looks at once whether a ping or a proof is due, while there is a connection. */
  checkHeartbeat: (() => void) | undefined
  /** Runs at the first connection whose identities the server has accepted. */
  onReady: (() => void) | undefined
  /** Runs when a connection is ready for requests. */
  private onConnected: (() => void) | undefined
  /** Runs when the session is over while it is being closed. */
  private onExpiredWhileClosing: (() => void) | undefined
  /** Leaves the connection at once, where there is one. */
  leaveConnection: ((reason: () => string) => void) | undefined
  /** Whether the session had better be elsewhere, and who sees to that once there is a connection. */
  private isLeaving = false
  private onLeaving: (() => void) | undefined
  /** What watches have been compared with, while a connection has not yet registered all of them again. */
  private pendingRelativeZxid: bigint | undefined
  private readonly watchRestorer: WatchRestorer
  private closedError: SessionClosed | undefined
  private closedInFlight: SessionClosed | undefined
  private readonly metrics: MetricsReporter
  /** Of all frames, one after the other: what a frame becomes is read before anybody else runs. */
  private readonly reader = new JuteReader(noPassword)
  /** Looks ahead in a frame. */
  private readonly lookaheadReader = new JuteReader(noPassword)
  private connectionsLost = 0
  private hasWarnedOfMargin = false
  private sessionsExpired = 0
  private events = 0
  /** Of the connections that are gone. */
  private bytesSent = 0
  private bytesReceived = 0

  constructor(options: {
    readonly settings: Settings
    readonly transport: Transport["Service"]
    readonly clock: Clock.Clock
    readonly context: Context.Context<never>
    readonly servers: ServerList
    readonly state: SessionStateRef
    readonly firstXid: number
    readonly guardCallback: GuardCallback
  }) {
    const { guardCallback, settings } = options
    this.settings = settings
    this.transport = options.transport
    this.clock = options.clock
    this.context = options.context
    this.metrics = new MetricsReporter(options.context)
    this.servers = options.servers
    this.state = options.state
    this.capabilities = new ServerCapabilities(() => this.liveness.now())
    this.pipeline = new RequestPipeline(settings, options.firstXid, guardCallback, this.capabilities)
    this.timers = new TimerQueue(options.clock, options.context, guardCallback)
    this.connectionTimer = this.timers.makeTimer()
    this.connectOrCloseTimer = this.timers.makeTimer()
    this.heartbeat = this.timers.makeTimer()
    this.liveness = new Liveness({ ...settings, clock: options.clock, timers: this.timers, guardCallback })
    this.closeCoordinator = new CloseCoordinator(this.timers, guardCallback, settings.closeTimeout)
    this.authInfos = new AuthInfos(settings.auth, guardCallback, () => this.liveness.now())
    this.credentials = settings.session ?? { id: 0n, password: Redacted.make(noPassword) }
    this.isKnownToEnsemble = settings.session !== undefined
    if (settings.session !== undefined) this.liveness.expectExpiry()
    const commands: WatchCommands = {
      addWatch: (path, mode) =>
        this.sendCommand(Operations.addWatch, { path, mode: addWatchMode[mode] }, () =>
          this.watches.confirmMode(path, mode)
        ),
      removeWatches: (path, type) => this.sendCommand(Operations.removeWatches, { path, type })
    }
    this.watches = new WatchRegistry(commands, guardCallback)
    this.watchRestorer = new WatchRestorer(this.pipeline, this.watches, settings.maxRequestSize)
  }

  // ---------------------------------------------------------------------------
  // requests
  // ---------------------------------------------------------------------------

  /** Asks for something; what `prepare` adds to the request is there before it can be sent. */
  request<O extends Operation.Any>(
    operation: O,
    request: Operation.Request<O>,
    path: string,
    prepare?: (pending: PendingRequest) => void
  ): Effect.Effect<Operation.Response<O>, Operation.Error<O> | SessionError> {
    return Effect.callback((resume) => {
      const pending = this.makePending(operation, request, path, resume)
      prepare?.(pending)
      this.send(pending)
      return Effect.sync(() => this.pipeline.abandon(pending))
    })
  }

  /** As the service says. What is sent at once, as nearly all is, costs no finalizer: that would be half as much again. */
  requestUnsafe(
    operation: Operation.Any,
    request: unknown,
    path: string,
    transform: PendingRequest["transform"],
    resume: Resume,
    caller: PendingRequest["caller"]
  ): (() => void) | undefined {
    const pending = this.makePending(operation, request, path, resume)
    pending.transform = transform
    pending.caller = caller
    this.send(pending)
    return pending.xid === 0 && pending.resume !== undefined ? () => this.pipeline.abandon(pending) : undefined
  }

  private makePending(operation: Operation.Any, request: unknown, path: string, resume: Resume): PendingRequest {
    const askedAt = this.settings.requestTimeout === undefined ? 0 : this.liveness.now()
    return new PendingRequest(operation, request, path, onLossOf[operation.kind], askedAt, resume)
  }

  private send(pending: PendingRequest): void {
    // What is not to be had is refused without waiting for its turn.
    if (this.capabilities.supports(pending.operation.name)) this.pipeline.send(pending)
    else this.pipeline.end(pending, replyExit(pending, ErrorCode.codes.Unimplemented, undefined))
  }

  /** Sends something that nobody waits for, if there is a connection; what it says is of no use to any other. */
  private sendCommand<O extends Operation.Any>(operation: O, request: Operation.Request<O>, onOk?: () => void): void {
    if (this.connection === undefined || !this.capabilities.supports(operation.name)) return
    const pending = new PendingRequest(operation, request, "", "drop", Number.POSITIVE_INFINITY, () => {})
    pending.onReply = (code) => {
      if (code === ErrorCode.codes.Ok) onOk?.()
      return Exit.void
    }
    this.pipeline.send(pending)
  }

  // ---------------------------------------------------------------------------
  // connections
  // ---------------------------------------------------------------------------

  /** A server gave us the session, or a new one: identities first, then watches, then requests. */
  connected({ connection, response, sentAt }: HandshakeResult, isProvisional: boolean): void {
    const readOnly = response.readOnly === true
    this.isProvisional = isProvisional
    this.isLeaving = false
    if (!isProvisional) {
      const isNew = response.sessionId !== this.credentials.id
      // A server older than 3.5 takes up a session that it knows also without a quorum: the ensemble still has it, and is
      // to hear of it again.
      const isResumed = this.isKnownToEnsemble && response.sessionId === this.credentials.id
      const password = response.passwd ?? noPassword
      this.credentials = { id: response.sessionId, password: Redacted.make(password) }
      this.isKnownToEnsemble = isResumed || !readOnly
      const { sessionId, timeOut: timeout } = response
      this.liveness.sessionEstablished({
        sessionId,
        timeout,
        sentAt,
        now: connection.heardAt,
        isNew,
        canProve: !readOnly
      })
      this.warnOfMargin(timeout)
    }
    this.capabilities.connected(connection.server)
    // Who hears of it now and sends something finds no connection yet, and waits behind what a connection begins with.
    this.state.set({
      _tag: "Connected",
      server: { host: connection.server.host, port: connection.server.port },
      readOnly
    })
    this.connection = connection
    this.authInfos.replay(connection, () => {
      this.pipeline.open(connection)
      this.registerWatches()
      this.pipeline.pump()
      const { onConnected } = this
      this.onConnected = undefined
      onConnected?.()
    })
    connection.schedule()
    this.authInfos.whenAnswered(() => {
      const onReady = this.onReady
      this.onReady = undefined
      onReady?.()
    })
  }

  private warnOfMargin(timeout: number): void {
    const { hasCutMargin, ownershipMargin } = this.settings
    if (this.hasWarnedOfMargin || !hasCutMargin(timeout)) return
    this.hasWarnedOfMargin = true
    const message = `ownershipMargin leaves no time to own anything in a session of ${timeout} ms, which is what the server granted; a margin of ${ownershipMargin(timeout)} ms is used instead. Choose a smaller one, or a longer sessionTimeout that the server grants (maxSessionTimeout)`
    Effect.runForkWith(this.context)(withLogAnnotations(this, this.connection?.server, Effect.logWarning(message)))
  }

  /** The connection is gone. */
  disconnected(): void {
    this.connectionTimer.clear()
    this.heartbeat.clear()
    this.checkHeartbeat = undefined
    this.onLeaving = undefined
    this.leaveConnection = undefined
    this.forgetConnection()
    this.liveness.disconnected()
    this.connectionsLost++
    this.state.set(withJson({ _tag: "Disconnected", since: this.clock.monotonicTimeNanosUnsafe() }))
    this.pipeline.disconnect()
    this.watchRestorer.disconnected()
    const dropped = this.authInfos.disconnected()
    if (dropped !== undefined) this.failAuth(dropped)
  }

  /** The session had better be elsewhere: its connection is left in good order, at once or as soon as it stands. */
  leaveInGoodOrder(): void {
    this.isLeaving = true
    const { onLeaving } = this
    this.onLeaving = undefined
    onLeaving?.()
  }

  /** Calls back when the connection is to be left. */
  whenLeaving(onLeaving: () => void): void {
    if (this.isLeaving) onLeaving()
    else this.onLeaving = onLeaving
  }

  /** Whether the first connection has been made. */
  get isReady(): boolean {
    return this.onReady === undefined
  }

  /** How often what was seen has been given up. */
  history = 0

  /** What this session has seen is given up: the next may see less. */
  forgetHistory(): void {
    this.history++
    this.pipeline.lastZxid = 0n
    this.pendingRelativeZxid = undefined
  }

  private forgetConnection(): void {
    this.bytesSent += this.connection?.bytesOut ?? 0
    this.bytesReceived += this.connection?.bytesIn ?? 0
    this.connection = undefined
  }

  private registerWatches(): void {
    // While some watches are not yet registered again, replies tell nothing of what they have missed.
    const relativeZxid = this.pendingRelativeZxid ?? this.pipeline.lastZxid
    this.pendingRelativeZxid = relativeZxid
    if (!this.capabilities.supports(Operations.setWatches2.name)) this.watches.refusePersistent(refusedWatch)
    this.watchRestorer.begin(relativeZxid, () => {
      this.pendingRelativeZxid = undefined
      this.watches.restored()
    })
  }

  // ---------------------------------------------------------------------------
  // frames
  // ---------------------------------------------------------------------------

  /** Bytes came in. */
  heard(now: number): void {
    // Before any of the replies is believed.
    this.liveness.checkWallClock(now)
    if (!this.isProvisional) this.liveness.heard(now)
  }

  /** The oldest of what the server has not answered, pings apart. */
  get oldestUnanswered(): OldestUnanswered | undefined {
    const { oldestUnanswered: identity } = this.authInfos
    const { oldestUnanswered: request } = this.pipeline
    return identity === undefined || (request !== undefined && request.since < identity.since) ? request : identity
  }

  /** Takes one frame of the current connection. Throws `ProtocolViolation`. */
  handleFrame(connection: FramedConnection, bytes: Uint8Array, start: number, end: number): void {
    const { reader } = this
    reader.reset(bytes, start, end)
    const header = readReplyHeader(reader)
    switch (header.xid) {
      case Operations.Xid.notification:
        return this.handleNotification(reader, header.zxid)
      case Operations.Xid.ping: {
        const sentAt = connection.pong()
        if (header.err !== 0)
          throw new ProtocolViolation(`a heartbeat was refused with ${ErrorCode.nameOf(header.err)}`)
        connection.hasAnswered = true
        connection.noteReply()
        return this.answered(sentAt, connection.heardAt, false)
      }
      case Operations.Xid.auth: {
        const refused = this.authInfos.answer(header.err)
        if (refused === undefined) return
        this.failAuth(new AuthFailed({ scheme: refused }))
        throw new ProtocolViolation(`the credentials of scheme "${refused}" were refused`)
      }
    }
    if (isUnknownOperation(header)) return this.handleUnknownOperation(connection, header, reader)
    const request = this.pipeline.takeForReply(header, connection.heardAt)
    this.metrics.answered(request.operation, header.err, connection.heardAt - request.sentAt)
    connection.noteReply()
    if (isSessionGone(header.err)) return this.handleSessionEnd(request, header.err)
    if (request.operation === Operations.multi && header.err === ErrorCode.codes.Ok) {
      this.lookaheadReader.reset(bytes, reader.offset, end)
      const failure = Operations.failureOfMulti(this.lookaheadReader)
      if (isSessionGone(failure)) return this.handleSessionEnd(request, failure)
    }
    connection.hasAnswered ||= isProofOfService(request.operation, header.err)
    // Who is told the outcome must not believe in an ownership that has ended, and may believe in one that it proves.
    this.answered(request.sentAt, connection.heardAt, isCommitted(request.operation, header.err))
    if (!this.capabilities.isKnown(request.operation)) this.capabilities.knows(request.operation)
    this.pipeline.complete(request, header.err, reader)
  }

  /** The server does not know what it was asked for, and closes: who is told may ask otherwise, on the next connection. */
  private handleUnknownOperation(connection: FramedConnection, header: ReplyHeader, reader: JuteReader): never {
    const request = this.pipeline.takeUnknown(header.xid)
    const { name, since } = request.operation
    connection.hasAnswered = true
    this.metrics.answered(request.operation, header.err, connection.heardAt - request.sentAt)
    this.capabilities.lacks(connection.server, name)
    this.pipeline.complete(request, header.err, reader)
    throw new ProtocolViolation(`the server does not know ${name} (ZooKeeper ${since} and later), and closes`)
  }

  /** The server does not, or no longer, hold the session: an answer that confirms nothing. */
  private handleSessionEnd(request: PendingRequest, code: number): never {
    // A provisional session that is over says nothing of the session that waits for a quorum.
    if (code === ErrorCode.codes.SessionExpired && !this.isProvisional) {
      this.isExpiredByServer = true
      this.liveness.lapse()
      this.pipeline.end(request, Exit.fail(new SessionExpired({ sessionId: this.credentials.id })))
      throw new ProtocolViolation("the server no longer knows the session")
    }
    this.pipeline.end(request, replyExit(request, code, undefined))
    throw new ProtocolViolation("the server does not serve the session any more")
  }

  private answered(sentAt: number, now: number, isCommitted: boolean): void {
    if (this.isProvisional) return
    this.liveness.answered(sentAt, now, isCommitted)
    if (isCommitted) this.checkHeartbeatBy(this.liveness.proofDue)
  }

  /** Has the heartbeat look again by then. */
  private checkHeartbeatBy(at: number): void {
    if (at < this.heartbeat.at) this.checkHeartbeat?.()
  }

  /** Has a quorum prove that it holds the session: a transaction that changes nothing, answered once it is committed. */
  sendProof(): void {
    this.liveness.proofSent(this.liveness.now())
    this.pipeline.sendFirst(
      new PendingRequest(Operations.multi, proofRequest, "/", "drop", Number.POSITIVE_INFINITY, () => {})
    )
  }

  /** Asks for signs of life at once: the machine may have slept. */
  pingNow(): void {
    this.connection?.ping()
    this.checkHeartbeat?.()
  }

  private handleNotification(reader: JuteReader, zxid: bigint): void {
    const decoded = Jute.attempt(watcherEvent, reader)
    if (decoded._tag === "Failure") throw new ProtocolViolation(`a malformed event: ${decoded.failure.message}`)
    const type = WatchEvent.typeOf(decoded.success.type)
    this.events++
    this.capabilities.eventZxids = zxid > 0n
    // An event of a type that no release has named, or at what is no path, means nothing to anybody here.
    const { path } = decoded.success
    if (type !== undefined && ZnodePath.check(path) === undefined) this.watches.dispatch(type, path, zxid)
  }

  // ---------------------------------------------------------------------------
  // ends
  // ---------------------------------------------------------------------------

  /** The session is over, by a server's word or by our own reckoning. */
  expire(): void {
    const sessionId = this.credentials.id
    const expired = new SessionExpired({ sessionId })
    const error = () => expired
    const ending = (maybeApplied: boolean) => (maybeApplied ? new SessionExpired({ sessionId, maybeApplied }) : expired)
    const isFinal = this.settings.sessionExpiry === "fail"
    this.sessionsExpired++
    this.credentials = { id: 0n, password: Redacted.make(noPassword) }
    this.isKnownToEnsemble = false
    this.isExpiredByServer = false
    this.liveness.forgetExpiry()
    this.liveness.lapse()
    this.closeCoordinator.sessionEnded()
    this.onExpiredWhileClosing?.()
    this.state.set({ _tag: "Expired" })
    if (isFinal) this.end(ending, error)
    else {
      // Requests first: who hears of anything else and asks anew then asks the next session.
      this.pipeline.failAll(ending, { final: false })
      this.authInfos.fail(error)
      this.watches.failOneShots(error)
    }
  }

  /** The credentials were refused: nothing is sent any more. */
  failAuth(error: AuthFailed): void {
    this.liveness.end()
    this.state.set({ _tag: "AuthFailed" })
    this.closeCoordinator.sessionEnded()
    this.onExpiredWhileClosing?.()
    this.end((maybeApplied) => (maybeApplied ? new AuthFailed({ ...error, maybeApplied }) : error), this.closed)
  }

  /** The owner is done with it. */
  close(): void {
    this.forgetConnection()
    this.liveness.end()
    this.state.set({ _tag: "Closed" })
    this.end(this.closedWith, this.closed)
  }

  private end(error: FinalError, watchError: () => SessionExpired | SessionClosed): void {
    this.watches.end(watchError)
    this.authInfos.fail(() => error(false))
    this.pipeline.failAll(error, { final: true })
  }

  // ---------------------------------------------------------------------------
  // metrics
  // ---------------------------------------------------------------------------

  /** Brings the metrics of the process up to date. */
  report(): void {
    this.metrics.report(this.readings(), this.state.isFinal ? undefined : this.state.current._tag)
  }

  private readings(): Readings {
    return {
      bytesSent: this.bytesSent + (this.connection?.bytesOut ?? 0),
      bytesReceived: this.bytesReceived + (this.connection?.bytesIn ?? 0),
      events: this.events,
      connectionsLost: this.connectionsLost,
      sessionsExpired: this.sessionsExpired,
      // The heartbeat is no request of the application.
      inFlight: this.pipeline.inFlightCount - this.pipeline.proofsInFlightCount,
      waiting: this.pipeline.waitingCount,
      watches: this.watches.size
    }
  }

  // ---------------------------------------------------------------------------
  // closing
  // ---------------------------------------------------------------------------

  /** Whether there is a session that servers know of, and that only they can end. */
  get hasLiveSession(): boolean {
    const { id } = this.credentials
    return id !== 0n && id === this.liveness.sessionId && !this.state.isFinal
  }

  /** The owner is about to be done with it. What was owned is owned no longer, and whoever guards something is told. */
  beginClosing(): void {
    const now = this.liveness.now()
    this.closeCoordinator.begin(now)
    this.liveness.end()
    this.closeCoordinator.notify()
    this.leaveIfSilent(now, now + (this.closeCoordinator.deadline! - now) / 2)
  }

  /** A server that is asked and says nothing for half of the time may be gone without a word: there may be others. */
  private leaveIfSilent(since: number, at: number): void {
    this.connectOrCloseTimer.set(at, () => {
      const { connection } = this
      if (connection === undefined || connection.heardAt > since || this.pipeline.inFlightCount === 0) return
      // Should it only be slow, it has the close request by then.
      if (this.closeCoordinator.stopWaiting())
        this.leaveIfSilent(since, at + (this.closeCoordinator.deadline! - at) / 2)
      else {
        // Those who still wait lose the session, and not a connection that could be followed by another for them.
        if (this.pipeline.refusal !== undefined) this.pipeline.failAll(this.closedWith, { final: true })
        this.leaveConnection?.(() => "silent while the session is being closed")
      }
    })
  }

  /**
   * Asks a server to end the session; completes with its answer, or at the deadline of the close. Where the connection is
   * lost, or has been, the next one is waited for.
   */
  readonly closeSession: Effect.Effect<void> = Effect.callback((resume) => {
    this.pipeline.refuseNew(this.closedWith)
    const done = () => {
      timer.clear()
      this.onConnected = undefined
      resume(Effect.void)
    }
    const timer = this.timers.makeTimer()
    const sendClose = () => {
      if (!this.hasLiveSession) return done()
      // Under a provisional session ours cannot be ended.
      if (!this.pipeline.isOpen || this.isProvisional) {
        this.onConnected = sendClose
        return
      }
      const onClosed = (exit: Exit.Exit<unknown, SessionError>) => (isUndelivered(exit) ? awaitNext() : done())
      const closeRequest = new PendingRequest(
        Operations.closeSession,
        undefined,
        "",
        "drop",
        Number.POSITIVE_INFINITY,
        onClosed
      )
      this.pipeline.sendFirst(closeRequest)
    }
    const awaitNext = () => {
      this.onConnected = sendClose
    }
    this.onExpiredWhileClosing = done
    timer.set(this.closeCoordinator.deadline ?? 0, done)
    sendClose()
  })

  /** One for all who get it, and none where nobody does: an error with its stack costs as much as some fibers. */
  private readonly closed = (): SessionClosed => (this.closedError ??= new SessionClosed())

  private readonly closedWith = (maybeApplied: boolean): SessionClosed =>
    maybeApplied ? (this.closedInFlight ??= new SessionClosed({ maybeApplied })) : this.closed()
}

/** Whether a close request has not reached the server that has the session. */
const isUndelivered = (exit: Exit.Exit<unknown, SessionError>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some(
    (reason) =>
      reason._tag === "Fail" &&
      (reason.error._tag === "ConnectionLoss" ||
        reason.error._tag === "SessionClosed" ||
        (reason.error._tag === "ServerRefused" && reason.error.code === ErrorCode.codes.SessionMoved))
  )

/** The codes that say that the session is not with this server. */
const isSessionGone = (code: number): boolean =>
  code === ErrorCode.codes.SessionExpired || code === ErrorCode.codes.SessionMoved

/**
 * The codes that a leader gives after it has looked for the session, and that a quorum commits as it commits a success. All
 * others may be a server's own, as that of one that serves reads only.
 */
const committedCodes: ReadonlySet<number> = new Set([
  ErrorCode.codes.Ok,
  ErrorCode.codes.NoNode,
  ErrorCode.codes.BadVersion,
  ErrorCode.codes.NoChildrenForEphemerals,
  ErrorCode.codes.NodeExists,
  ErrorCode.codes.NotEmpty
])

/** Whether an answer shows that a quorum holds the session. */
const isCommitted = (operation: Operation.Any, code: number): boolean =>
  operation.kind === "write" && committedCodes.has(code)

/** What becomes of a persistent watch where the session has moved to a server that knows none. */
const refusedWatch = (path: string): ServerRefused =>
  new ServerRefused({
    operation: Operations.addWatch.name,
    path,
    code: ErrorCode.codes.Unimplemented,
    name: ErrorCode.nameOf(ErrorCode.codes.Unimplemented)
  })

/** Whether a server says that it does not know an operation, as opposed to one that is known and switched off. */
const isUnknownOperation = ({ err, zxid }: ReplyHeader): boolean =>
  err === ErrorCode.codes.Unimplemented && zxid === -1n

/** Whether an answer shows that the server serves us, so that the next may be tried at once when it is lost. */
const isProofOfService = (operation: Operation.Any, code: number): boolean =>
  code !== ErrorCode.codes.SessionClosedRequireSaslAuth &&
  code !== ErrorCode.codes.ThrottledOp &&
  operation !== Operations.setWatches &&
  operation !== Operations.setWatches2

const onLossOf: Record<Operation.Kind, OnLoss> = {
  read: "wait",
  write: "fail",
  // What the session itself asks of one connection; asked again on the next by whoever still wants it.
  session: "wait"
}
