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
import { annotated } from "./annotated.ts"
import { Alarm, type Timer } from "./Alarm.ts"
import type { CallOut } from "./CallOut.ts"
import { Closing } from "./Closing.ts"
import type { Established } from "./dial.ts"
import { type Awaited, type Ending, Exchange, outcome, readReplyHeader, type ReplyHeader } from "./Exchange.ts"
import { Identities } from "./Identities.ts"
import type { Link } from "./Link.ts"
import { Liveness } from "./Liveness.ts"
import { Meter, type Readings } from "./Meter.ts"
import { type OnLoss, PendingRequest, type Resume } from "./PendingRequest.ts"
import { ServerCapabilities } from "./ServerCapabilities.ts"
import type { Settings } from "./Settings.ts"
import type { StateCell } from "./StateCell.ts"
import { Violation } from "./Violation.ts"
import { WatchRegistration } from "./WatchRegistration.ts"
import { addWatchMode, type WatchCommands, WatchRegistry } from "./WatchRegistry.ts"

const watcherEvent = Jute.codec(Records.WatcherEvent)

const noPassword = new Uint8Array(16)

/** What a proof asks for: that the root is there, whatever its version. */
const proof: Operation.Request<typeof Operations.multi> = [{ operation: "check", request: { path: "/", version: -1 } }]

/**
 * What a session is at this moment, and what each frame does to it. Everything here is synchronous: the fibers that dial,
 * read, write and wait stand in `connectionLoop` and `runLink`.
 */
export class SessionCore {
  readonly settings: Settings
  readonly transport: Transport["Service"]
  readonly clock: Clock.Clock
  /** What the session was made in: what it calls back, logs and counts runs in it. */
  readonly context: Context.Context<never>
  readonly servers: ServerList
  readonly state: StateCell
  readonly exchange: Exchange
  /** All times of the session: its own, and those of the connection that it stands on or tries to make. */
  readonly alarm: Alarm
  /** How long a connection may take to be left, or, while there is none, the next server is waited with. */
  readonly limit: Timer
  /** How long the owner waits: for the first connection, then for the answer to its goodbye. */
  readonly patience: Timer
  /** When a sign of life is due, or the server's silence too long. */
  readonly heartbeat: Timer
  readonly liveness: Liveness
  readonly closing: Closing
  readonly identities: Identities
  readonly capabilities: ServerCapabilities
  readonly watches: WatchRegistry
  /** The connection that requests go to, if there is one. */
  link: Link | undefined
  /** The session to present at the next handshake; id 0 asks for a new one. */
  credentials: SessionCredentials
  /**
   * Whether a server with a quorum knows the session. One that comes from a read-only server means nothing to others and
   * is not presented to them.
   */
  isKnownToEnsemble: boolean
  /** A server has said that the session is over. */
  isOver = false
  /** Whether the current connection serves reads under a passing session while ours waits for a quorum. */
  isStandIn = false
  /** Looks at once whether a ping or a proof is due, while there is a connection. */
  beat: (() => void) | undefined
  /** Runs at the first connection whose identities the server has accepted. */
  onReady: (() => void) | undefined
  /** Runs when a connection is ready for requests. */
  private onConnected: (() => void) | undefined
  /** Runs when the session is over while it is being closed. */
  private onOver: (() => void) | undefined
  /** Leaves the connection at once, where there is one. */
  leaveLink: ((reason: () => string) => void) | undefined
  /** Whether the session had better be elsewhere, and who sees to that once there is a connection. */
  private isDeparting = false
  private onDeparture: (() => void) | undefined
  /** What watches have been compared with, while a connection has not yet registered all of them again. */
  private watchedUpTo: bigint | undefined
  private readonly registration: WatchRegistration
  private closedError: SessionClosed | undefined
  private closedInFlight: SessionClosed | undefined
  private readonly meter: Meter
  /** Of all frames, one after the other: what a frame becomes is read before anybody else runs. */
  private readonly reader = new JuteReader(noPassword)
  /** Looks ahead in a frame. */
  private readonly peeker = new JuteReader(noPassword)
  private proofsInFlight = 0
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
    readonly state: StateCell
    readonly firstXid: number
    readonly callOut: CallOut
  }) {
    const { callOut, settings } = options
    this.settings = settings
    this.transport = options.transport
    this.clock = options.clock
    this.context = options.context
    this.meter = new Meter(options.context)
    this.servers = options.servers
    this.state = options.state
    this.capabilities = new ServerCapabilities(() => this.liveness.now())
    this.exchange = new Exchange(settings, options.firstXid, callOut, this.capabilities)
    this.alarm = new Alarm(options.clock, options.context, callOut)
    this.limit = this.alarm.timer()
    this.patience = this.alarm.timer()
    this.heartbeat = this.alarm.timer()
    this.liveness = new Liveness({ ...settings, clock: options.clock, alarm: this.alarm, callOut })
    this.closing = new Closing(this.alarm, callOut, settings.closeTimeout)
    this.identities = new Identities(settings.auth, callOut, () => this.liveness.now())
    this.credentials = settings.session ?? { id: 0n, password: Redacted.make(noPassword) }
    this.isKnownToEnsemble = settings.session !== undefined
    if (settings.session !== undefined) this.liveness.expectExpiry()
    const commands: WatchCommands = {
      addWatch: (path, mode) =>
        this.command(Operations.addWatch, { path, mode: addWatchMode[mode] }, () => this.watches.confirm(path, mode)),
      removeWatches: (path, type) => this.command(Operations.removeWatches, { path, type })
    }
    this.watches = new WatchRegistry(commands, callOut)
    this.registration = new WatchRegistration(this.exchange, this.watches, settings.maxRequestSize)
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
      const pending = this.pending(operation, request, path, resume)
      prepare?.(pending)
      this.send(pending)
      return Effect.sync(() => this.exchange.abandon(pending))
    })
  }

  /** As the service says. What is sent at once, as nearly all is, costs no finalizer: that would be half as much again. */
  begin(
    operation: Operation.Any,
    request: unknown,
    path: string,
    into: PendingRequest["into"],
    resume: Resume,
    caller: PendingRequest["caller"]
  ): (() => void) | undefined {
    const pending = this.pending(operation, request, path, resume)
    pending.into = into
    pending.caller = caller
    this.send(pending)
    return pending.xid === 0 && pending.resume !== undefined ? () => this.exchange.abandon(pending) : undefined
  }

  private pending(operation: Operation.Any, request: unknown, path: string, resume: Resume): PendingRequest {
    const askedAt = this.settings.requestTimeout === undefined ? 0 : this.liveness.now()
    return new PendingRequest(operation, request, path, onLossOf[operation.kind], askedAt, resume)
  }

  private send(pending: PendingRequest): void {
    // What is not to be had is refused without waiting for its turn.
    if (this.capabilities.supports(pending.operation.name)) this.exchange.send(pending)
    else this.exchange.end(pending, outcome(pending, ErrorCode.codes.Unimplemented, undefined))
  }

  /** Sends something that nobody waits for, if there is a connection; what it says is of no use to any other. */
  private command<O extends Operation.Any>(operation: O, request: Operation.Request<O>, onOk?: () => void): void {
    if (this.link === undefined || !this.capabilities.supports(operation.name)) return
    const pending = new PendingRequest(operation, request, "", "drop", Number.POSITIVE_INFINITY, () => {})
    pending.onReply = (code) => {
      if (code === ErrorCode.codes.Ok) onOk?.()
      return Exit.void
    }
    this.exchange.send(pending)
  }

  // ---------------------------------------------------------------------------
  // connections
  // ---------------------------------------------------------------------------

  /** A server gave us the session, or a new one: identities first, then watches, then requests. */
  connected({ link, response, sentAt }: Established, isStandIn: boolean): void {
    const readOnly = response.readOnly === true
    this.isStandIn = isStandIn
    this.isDeparting = false
    if (!isStandIn) {
      const isNew = response.sessionId !== this.credentials.id
      // A server older than 3.5 takes up a session that it knows also without a quorum: the ensemble still has it, and is
      // to hear of it again.
      const isResumed = this.isKnownToEnsemble && response.sessionId === this.credentials.id
      const password = response.passwd ?? noPassword
      this.credentials = { id: response.sessionId, password: Redacted.make(password) }
      this.isKnownToEnsemble = isResumed || !readOnly
      const { sessionId, timeOut: timeout } = response
      this.liveness.begin({ sessionId, timeout, sentAt, now: link.heardAt, isNew, canProve: !readOnly })
      this.warnOfMargin(timeout)
    }
    this.capabilities.connected(link.server)
    // Who hears of it now and sends something finds no outlet yet, and waits behind what a connection begins with.
    this.state.set({ _tag: "Connected", server: { host: link.server.host, port: link.server.port }, readOnly })
    this.link = link
    this.identities.replay(link, () => {
      this.exchange.open(link)
      this.registerWatches()
      this.exchange.pump()
      const { onConnected } = this
      this.onConnected = undefined
      onConnected?.()
    })
    link.schedule()
    this.identities.whenAnswered(() => {
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
    Effect.runForkWith(this.context)(annotated(this, this.link?.server, Effect.logWarning(message)))
  }

  /** The connection is gone. */
  disconnected(): void {
    this.limit.clear()
    this.heartbeat.clear()
    this.beat = undefined
    this.onDeparture = undefined
    this.leaveLink = undefined
    this.forgetLink()
    this.liveness.disconnected()
    this.connectionsLost++
    this.state.set(withJson({ _tag: "Disconnected", since: this.clock.monotonicTimeNanosUnsafe() }))
    this.exchange.disconnect()
    this.registration.lost()
    const dropped = this.identities.lost()
    if (dropped !== undefined) this.refused(dropped)
  }

  /** The session had better be elsewhere: its connection is left in good order, at once or as soon as it stands. */
  depart(): void {
    this.isDeparting = true
    const { onDeparture } = this
    this.onDeparture = undefined
    onDeparture?.()
  }

  /** Calls back when the connection is to be left. */
  whenDeparting(onDeparture: () => void): void {
    if (this.isDeparting) onDeparture()
    else this.onDeparture = onDeparture
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
    this.exchange.lastZxid = 0n
    this.watchedUpTo = undefined
  }

  private forgetLink(): void {
    this.bytesSent += this.link?.bytesOut ?? 0
    this.bytesReceived += this.link?.bytesIn ?? 0
    this.link = undefined
  }

  private registerWatches(): void {
    // While some watches are not yet registered again, replies tell nothing of what they have missed.
    const relativeZxid = this.watchedUpTo ?? this.exchange.lastZxid
    this.watchedUpTo = relativeZxid
    if (!this.capabilities.supports(Operations.setWatches2.name)) this.watches.refusePersistent(refusedWatch)
    this.registration.begin(relativeZxid, () => {
      this.watchedUpTo = undefined
      this.watches.caughtUp()
    })
  }

  // ---------------------------------------------------------------------------
  // frames
  // ---------------------------------------------------------------------------

  /** Bytes came in. */
  heard(now: number): void {
    // Before any of the replies is believed.
    this.liveness.lookAtWallClock(now)
    if (!this.isStandIn) this.liveness.heard(now)
  }

  /** The oldest of what the server has not answered, pings apart. */
  get awaited(): Awaited | undefined {
    const { awaited: identity } = this.identities
    const { awaited: request } = this.exchange
    return identity === undefined || (request !== undefined && request.since < identity.since) ? request : identity
  }

  /** Takes one frame of the current connection. Throws `Violation`. */
  frame(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const { reader } = this
    reader.reset(bytes, start, end)
    const header = readReplyHeader(reader)
    switch (header.xid) {
      case Operations.Xid.notification:
        return this.notification(reader, header.zxid)
      case Operations.Xid.ping: {
        const sentAt = link.pong()
        if (header.err !== 0) throw new Violation(`a heartbeat was refused with ${ErrorCode.nameOf(header.err)}`)
        link.answered = true
        link.replied()
        return this.answered(sentAt, link.heardAt, false)
      }
      case Operations.Xid.auth: {
        const refused = this.identities.answer(header.err)
        if (refused === undefined) return
        this.refused(new AuthFailed({ scheme: refused }))
        throw new Violation(`the credentials of scheme "${refused}" were refused`)
      }
    }
    if (isUnknown(header)) return this.unknown(link, header, reader)
    const request = this.exchange.take(header, link.heardAt)
    this.meter.answered(request.operation, header.err, link.heardAt - request.sentAt)
    link.replied()
    if (isEnd(header.err)) return this.ended(request, header.err)
    if (request.operation === Operations.multi && header.err === ErrorCode.codes.Ok) {
      this.peeker.reset(bytes, reader.offset, end)
      const failure = Operations.failureOfMulti(this.peeker)
      if (isEnd(failure)) return this.ended(request, failure)
    }
    link.answered ||= isProofOfService(request.operation, header.err)
    // Who is told the outcome must not believe in an ownership that has ended, and may believe in one that it proves.
    this.answered(request.sentAt, link.heardAt, isCommitted(request.operation, header.err))
    if (!this.capabilities.isKnown(request.operation)) this.capabilities.knows(request.operation)
    this.exchange.complete(request, header.err, reader)
  }

  /** The server does not know what it was asked for, and closes: who is told may ask otherwise, on the next connection. */
  private unknown(link: Link, header: ReplyHeader, reader: JuteReader): never {
    const request = this.exchange.takeUnknown(header.xid)
    const { name, since } = request.operation
    link.answered = true
    this.meter.answered(request.operation, header.err, link.heardAt - request.sentAt)
    this.capabilities.lacks(link.server, name)
    this.exchange.complete(request, header.err, reader)
    throw new Violation(`the server does not know ${name} (ZooKeeper ${since} and later), and closes`)
  }

  /** The server does not, or no longer, hold the session: an answer that confirms nothing. */
  private ended(request: PendingRequest, code: number): never {
    // A stand-in that is over says nothing of the session that waits for a quorum.
    if (code === ErrorCode.codes.SessionExpired && !this.isStandIn) {
      this.isOver = true
      this.liveness.lapse()
      this.exchange.end(request, Exit.fail(new SessionExpired({ sessionId: this.credentials.id })))
      throw new Violation("the server no longer knows the session")
    }
    this.exchange.end(request, outcome(request, code, undefined))
    throw new Violation("the server does not serve the session any more")
  }

  private answered(sentAt: number, now: number, isCommitted: boolean): void {
    if (this.isStandIn) return
    this.liveness.answered(sentAt, now, isCommitted)
    if (isCommitted) this.heartbeatBy(this.liveness.proofDue)
  }

  /** Has the heartbeat look again by then. */
  private heartbeatBy(at: number): void {
    if (at < this.heartbeat.at) this.beat?.()
  }

  /** Has a quorum prove that it holds the session: a transaction that changes nothing, answered once it is committed. */
  prove(): void {
    this.liveness.askedForProof(this.liveness.now())
    this.proofsInFlight++
    const done = () => this.proofsInFlight--
    this.exchange.sendFirst(new PendingRequest(Operations.multi, proof, "/", "drop", Number.POSITIVE_INFINITY, done))
  }

  /** Asks for signs of life at once: the machine may have slept. */
  askForSigns(): void {
    this.link?.ping()
    this.beat?.()
  }

  private notification(reader: JuteReader, zxid: bigint): void {
    const decoded = Jute.attempt(watcherEvent, reader)
    if (decoded._tag === "Failure") throw new Violation(`a malformed event: ${decoded.failure.message}`)
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
    this.isOver = false
    this.liveness.forgetExpiry()
    this.liveness.lapse()
    this.closing.over()
    this.onOver?.()
    this.state.set({ _tag: "Expired" })
    if (isFinal) this.end(ending, error)
    else {
      // Requests first: who hears of anything else and asks anew then asks the next session.
      this.exchange.failAll(ending, { final: false })
      this.identities.fail(error)
      this.watches.failOneShots(error)
    }
  }

  /** The credentials were refused: nothing is sent any more. */
  refused(error: AuthFailed): void {
    this.liveness.end()
    this.state.set({ _tag: "AuthFailed" })
    this.closing.over()
    this.onOver?.()
    this.end((maybeApplied) => (maybeApplied ? new AuthFailed({ ...error, maybeApplied }) : error), this.closed)
  }

  /** The owner is done with it. */
  close(): void {
    this.forgetLink()
    this.liveness.end()
    this.state.set({ _tag: "Closed" })
    this.end(this.closedWith, this.closed)
  }

  private end(error: Ending, watchError: () => SessionExpired | SessionClosed): void {
    this.watches.end(watchError)
    this.identities.fail(() => error(false))
    this.exchange.failAll(error, { final: true })
  }

  // ---------------------------------------------------------------------------
  // metrics
  // ---------------------------------------------------------------------------

  /** Brings the metrics of the process up to date. */
  report(): void {
    this.meter.report(this.readings(), this.state.isFinal ? undefined : this.state.current._tag)
  }

  private readings(): Readings {
    return {
      bytesSent: this.bytesSent + (this.link?.bytesOut ?? 0),
      bytesReceived: this.bytesReceived + (this.link?.bytesIn ?? 0),
      events: this.events,
      connectionsLost: this.connectionsLost,
      sessionsExpired: this.sessionsExpired,
      // The heartbeat is no request of the application.
      inFlight: this.exchange.inFlightCount - this.proofsInFlight,
      waiting: this.exchange.waitingCount,
      watches: this.watches.size
    }
  }

  // ---------------------------------------------------------------------------
  // closing
  // ---------------------------------------------------------------------------

  /** Whether there is a session that servers know of, and that only they can end. */
  get isStanding(): boolean {
    const { id } = this.credentials
    return id !== 0n && id === this.liveness.sessionId && !this.state.isFinal
  }

  /** The owner is about to be done with it. What was owned is owned no longer, and whoever guards something is told. */
  beginClosing(): void {
    const now = this.liveness.now()
    this.closing.begin(now)
    this.liveness.end()
    this.closing.tell()
    this.leaveSilence(now, now + (this.closing.deadline! - now) / 2)
  }

  /** A server that is asked and says nothing for half of the time may be gone without a word: there may be others. */
  private leaveSilence(since: number, at: number): void {
    this.patience.set(at, () => {
      const { link } = this
      if (link === undefined || link.heardAt > since || this.exchange.inFlightCount === 0) return
      // Should it only be slow, it has the goodbye by then.
      if (this.closing.hasten()) this.leaveSilence(since, at + (this.closing.deadline! - at) / 2)
      else {
        // Those who still wait lose the session, and not a connection that could be followed by another for them.
        if (this.exchange.refusal !== undefined) this.exchange.failAll(this.closedWith, { final: true })
        this.leaveLink?.(() => "silent while the session is being closed")
      }
    })
  }

  /**
   * Asks a server to end the session; completes with its answer, or at the deadline of the close. Where the connection is
   * lost, or has been, the next one is waited for.
   */
  readonly sayGoodbye: Effect.Effect<void> = Effect.callback((resume) => {
    this.exchange.refuse(this.closedWith)
    const done = () => {
      timer.clear()
      this.onConnected = undefined
      resume(Effect.void)
    }
    const timer = this.alarm.timer()
    const say = () => {
      if (!this.isStanding) return done()
      // Under a stand-in ours cannot be ended.
      if (!this.exchange.isOpen || this.isStandIn) {
        this.onConnected = say
        return
      }
      const told = (exit: Exit.Exit<unknown, SessionError>) => (isUnheard(exit) ? awaitNext() : done())
      const goodbye = new PendingRequest(Operations.closeSession, undefined, "", "drop", Number.POSITIVE_INFINITY, told)
      this.exchange.sendFirst(goodbye)
    }
    const awaitNext = () => {
      this.onConnected = say
    }
    this.onOver = done
    timer.set(this.closing.deadline ?? 0, done)
    say()
  })

  /** One for all who get it, and none where nobody does: an error with its stack costs as much as some fibers. */
  private readonly closed = (): SessionClosed => (this.closedError ??= new SessionClosed())

  private readonly closedWith = (maybeApplied: boolean): SessionClosed =>
    maybeApplied ? (this.closedInFlight ??= new SessionClosed({ maybeApplied })) : this.closed()
}

/** Whether a goodbye has not reached the server that has the session. */
const isUnheard = (exit: Exit.Exit<unknown, SessionError>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some(
    (reason) =>
      reason._tag === "Fail" &&
      (reason.error._tag === "ConnectionLoss" ||
        reason.error._tag === "SessionClosed" ||
        (reason.error._tag === "ServerRefused" && reason.error.code === ErrorCode.codes.SessionMoved))
  )

/** The codes that say that the session is not with this server. */
const isEnd = (code: number): boolean =>
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
const isUnknown = ({ err, zxid }: ReplyHeader): boolean => err === ErrorCode.codes.Unimplemented && zxid === -1n

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
