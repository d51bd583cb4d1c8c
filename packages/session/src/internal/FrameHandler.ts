import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Exit from "effect/Exit"
import { AuthFailed, SessionExpired } from "../SessionError.ts"
import type { AuthInfos } from "./auth/AuthInfos.ts"
import type { ServerConnection } from "./connection/ServerConnection.ts"
import type { MetricsReporter } from "./metrics/MetricsReporter.ts"
import type { PendingRequest } from "./requests/PendingRequest.ts"
import { ProtocolViolation } from "./requests/ProtocolViolation.ts"
import { readReplyHeader, type ReplyHeader, replyExit } from "./requests/replies.ts"
import type { RequestPipeline } from "./requests/RequestPipeline.ts"
import type { ServerCapabilities } from "./requests/ServerCapabilities.ts"
import type { SessionIdentity } from "./SessionIdentity.ts"
import type { Liveness } from "./time/Liveness.ts"
import type { WatchRegistry } from "./watches/WatchRegistry.ts"

const watcherEvent = Jute.codec(Records.WatcherEvent)

/** The parts of a session that frames concern. */
export interface FrameReceivers {
  readonly pipeline: RequestPipeline
  readonly authInfos: AuthInfos
  readonly capabilities: ServerCapabilities
  readonly watches: WatchRegistry
  readonly liveness: Liveness
  readonly metrics: MetricsReporter
  readonly identity: SessionIdentity
  readonly failAuth: (error: AuthFailed) => void
}

const noBytes = new Uint8Array(0)

/**
 * Gives each frame of a connection to the part of the session that it is for: a reply to its request, an event to the
 * watches, the answer to a ping or to credentials to those. A frame that breaks the protocol ends the connection.
 */
export class FrameHandler {
  private readonly receivers: FrameReceivers
  private readonly pipeline: RequestPipeline
  private readonly capabilities: ServerCapabilities
  private readonly liveness: Liveness
  private readonly metrics: MetricsReporter
  /** For all frames, one after the other: a frame is read to its end before other code runs. */
  private readonly reader = new JuteReader(noBytes)
  /** Looks ahead in the reply to a transaction. */
  private lookaheadReader: JuteReader | undefined
  /** How many events have come. */
  events = 0

  constructor(receivers: FrameReceivers) {
    this.receivers = receivers
    this.pipeline = receivers.pipeline
    this.capabilities = receivers.capabilities
    this.liveness = receivers.liveness
    this.metrics = receivers.metrics
  }

  /** Takes one frame. Throws `ProtocolViolation`. */
  readonly handle = (connection: ServerConnection, bytes: Uint8Array, start: number, end: number): void => {
    const { reader } = this
    const { framed } = connection
    reader.reset(bytes, start, end)
    const header = readReplyHeader(reader)
    switch (header.xid) {
      case Operations.Xid.notification:
        return this.handleNotification(reader, header.zxid)
      case Operations.Xid.ping: {
        const sentAt = framed.pong()
        if (header.err !== 0)
          throw new ProtocolViolation(`a heartbeat was refused with ${ErrorCode.nameOf(header.err)}`)
        connection.hasAnswered = true
        framed.noteReply()
        return this.answered(connection, sentAt, framed.heardAt, false)
      }
      case Operations.Xid.auth:
        return this.handleAuthReply(header.err)
    }
    if (isUnknownOperation(header)) return this.handleUnknownOperation(connection, header, reader)
    const request = this.pipeline.takeForReply(header, framed.heardAt)
    this.metrics.answered(request.operation, header.err, framed.heardAt - request.sentAt)
    framed.noteReply()
    if (isSessionGone(header.err)) return this.handleSessionEnd(connection, request, header.err)
    if (request.operation === Operations.multi && header.err === ErrorCode.codes.Ok) {
      this.lookaheadReader ??= new JuteReader(noBytes)
      this.lookaheadReader.reset(bytes, reader.offset, end)
      const failure = Operations.failureOfMulti(this.lookaheadReader)
      if (isSessionGone(failure)) return this.handleSessionEnd(connection, request, failure)
    }
    connection.hasAnswered ||= isProofOfService(request.operation, header.err)
    // The caller is told afterwards: it must not rely on an ownership that has ended, and may rely on one that it proves.
    this.answered(connection, request.sentAt, framed.heardAt, isCommitted(request.operation, header.err))
    if (!this.capabilities.isKnown(request.operation)) this.capabilities.knows(request.operation)
    this.pipeline.complete(request, header.err, reader)
    // Names are copies: the memory of a long list is needed no more.
    if (end - start > Frame.PIECE && !reader.hasGivenView) framed.releaseFrame(bytes, start, end)
  }

  private handleAuthReply(code: number): void {
    const refused = this.receivers.authInfos.answer(code)
    if (refused === undefined) return
    this.receivers.failAuth(new AuthFailed({ scheme: refused }))
    throw new ProtocolViolation(`the credentials of scheme "${refused}" were refused`)
  }

  /** The server does not know the operation and closes. The caller may ask for another one on the next connection. */
  private handleUnknownOperation(connection: ServerConnection, header: ReplyHeader, reader: JuteReader): never {
    const request = this.pipeline.takeUnknown(header.xid)
    const { name, since } = request.operation
    connection.hasAnswered = true
    this.metrics.answered(request.operation, header.err, connection.framed.heardAt - request.sentAt)
    this.capabilities.lacks(connection.server, request.operation)
    this.pipeline.complete(request, header.err, reader)
    throw new ProtocolViolation(`the server does not know ${name} (ZooKeeper ${since} and later), and closes`)
  }

  /** The server does not hold the session, or no longer: an answer that confirms nothing. */
  private handleSessionEnd(connection: ServerConnection, request: PendingRequest, code: number): never {
    // The end of a provisional session says nothing of the session that waits for a quorum.
    if (code === ErrorCode.codes.SessionExpired && !connection.isProvisional) {
      connection.isSessionExpired = true
      this.liveness.lapse()
      this.pipeline.end(request, Exit.fail(new SessionExpired({ sessionId: this.receivers.identity.id })))
      throw new ProtocolViolation("the server no longer knows the session")
    }
    this.pipeline.end(request, replyExit(request, code, undefined))
    throw new ProtocolViolation("the server does not serve the session any more")
  }

  private answered(connection: ServerConnection, sentAt: number, now: number, isCommitted: boolean): void {
    if (connection.isProvisional) return
    this.liveness.answered(sentAt, now, isCommitted)
    if (isCommitted) connection.heartbeat.checkBy(this.liveness.proofDue)
  }

  private handleNotification(reader: JuteReader, zxid: bigint): void {
    const decoded = Jute.attempt(watcherEvent, reader)
    if (decoded._tag === "Failure") throw new ProtocolViolation(`a malformed event: ${decoded.failure.message}`)
    const type = WatchEvent.typeOf(decoded.success.type)
    this.events++
    this.capabilities.noteEvent(zxid)
    // An event of a type that no release has named, or at an invalid path, means nothing to any watch.
    const { path } = decoded.success
    if (type !== undefined && ZnodePath.check(path) === undefined) this.receivers.watches.dispatch(type, path, zxid)
  }
}

/** The codes that say that the session is not with this server. */
const isSessionGone = (code: number): boolean =>
  code === ErrorCode.codes.SessionExpired || code === ErrorCode.codes.SessionMoved

/**
 * The codes that a leader gives after it has looked for the session, and that a quorum commits as it commits a success. All
 * other codes may be a server's own, such as those of a server that serves reads only.
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

/** Whether a server says that it does not know an operation, as opposed to one that is known and switched off. */
const isUnknownOperation = ({ err, zxid }: ReplyHeader): boolean =>
  err === ErrorCode.codes.Unimplemented && zxid === -1n

/** Whether an answer shows that the server serves the session, so that the next may be tried at once when it is lost. */
const isProofOfService = (operation: Operation.Any, code: number): boolean =>
  code !== ErrorCode.codes.SessionClosedRequireSaslAuth &&
  code !== ErrorCode.codes.ThrottledOp &&
  operation !== Operations.setWatches &&
  operation !== Operations.setWatches2
