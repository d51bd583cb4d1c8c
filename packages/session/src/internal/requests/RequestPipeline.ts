import type * as Frame from "@effect-zookeeper/protocol/Frame"
import { JuteError } from "@effect-zookeeper/protocol/JuteError"
import type { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Exit from "effect/Exit"
import type { SessionError } from "../../SessionError.ts"
import { ConnectionLoss, FrameTooLarge, MAX_LOSSES, ProtocolError, RequestTimeout } from "../../SessionError.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { RingQueue } from "./RingQueue.ts"
import { encodedBodies } from "./EncodedBody.ts"
import { copyOf, encodeRequest } from "./encodeRequest.ts"
import type { PendingRequest } from "./PendingRequest.ts"
import { type ReplyHeader, replyExit, transformedExit } from "./replies.ts"
import type { ServerCapabilities } from "./ServerCapabilities.ts"
import { ProtocolViolation } from "./ProtocolViolation.ts"

/** The connection that requests are written to. */
export interface WritableConnection {
  readonly writer: JuteWriter
  /** Has everything that was written sent at the end of the turn. Gives the time of this turn, in monotonic milliseconds. */
  readonly schedule: () => number
}

/** With more unsent bytes than this (4 MiB), callers wait until the network has taken them. */
const MAX_UNSENT = 4_194_304

const MAX_XID = 2_147_483_647

/** This many requests without a caller may wait before the queue is searched for them. */
const MAX_ABANDONED = 1024

/**
 * The requests of a session: those that wait for a connection or for their turn, and those whose replies are on the way,
 * in the order in which they were sent and will be answered.
 *
 * Every request passes through here, so there are only plain loops and one suspension of the caller.
 */
export class RequestPipeline {
  private readonly maxInFlight: number
  private readonly maxRequestSize: number
  private readonly guardCallback: GuardCallback
  private waiting = new RingQueue<PendingRequest>()
  private readonly inFlight = new RingQueue<PendingRequest>()
  /** How many of the requests in flight, from the head on, the network has taken. */
  private handedOver = 0
  /** When the network took the first of these, or when the reply before its own came, in monotonic milliseconds. */
  private headSince = 0
  private connection: WritableConnection | undefined
  /** A request of an operation that this server may not know. It is in flight alone. */
  private isolated: PendingRequest | undefined
  /** Whether the connection ends by a reply whose caller has been told: other requests have no part in that. */
  private isReplyRefused = false
  private readonly capabilities: Pick<ServerCapabilities, "isKnown" | "supports">
  /** The connection is about to be left: nothing more is sent, and the replies on the way are awaited. */
  private draining = false
  private finalError: FinalError | undefined
  private nextXid: number
  private onIdle: (() => void) | undefined
  /** How many callers have gone since abandoned requests were last cleared out, at most. */
  private abandoned = 0
  /** The newest transaction seen in a reply to a request. */
  lastZxid = 0n

  constructor(
    limits: { readonly maxInFlight: number; readonly maxRequestSize: number },
    firstXid: number,
    guardCallback: GuardCallback,
    /** Says which operations the server knows: a request of an operation that it may not know is sent alone. */
    capabilities: Pick<ServerCapabilities, "isKnown" | "supports"> = assumeAllKnown
  ) {
    this.capabilities = capabilities
    this.maxInFlight = limits.maxInFlight
    this.maxRequestSize = limits.maxRequestSize
    this.guardCallback = guardCallback
    this.nextXid = firstXid
  }

  /** The error of every new request, once there is one. */
  get refusal(): SessionError | undefined {
    return this.finalError?.(false)
  }

  get inFlightCount(): number {
    return this.inFlight.length
  }

  /** How many of the requests in flight are proofs: only they are transactions that are dropped with their connection. */
  get proofsInFlightCount(): number {
    let count = 0
    for (let index = 0; index < this.inFlight.length; index++) {
      const { onLoss, operation } = this.inFlight.at(index)!
      if (operation === Operations.multi && onLoss === "drop") count++
    }
    return count
  }

  /** The operation whose reply comes next, and since when it has been due, if the network has the request. */
  get oldestUnanswered(): OldestUnanswered | undefined {
    return this.handedOver > 0 ? { operation: this.inFlight.at(0)!.operation.name, since: this.headSince } : undefined
  }

  /** Whether there is a connection that takes requests. */
  get isOpen(): boolean {
    return this.connection !== undefined
  }

  get waitingCount(): number {
    return this.waiting.length
  }

  /** Sends a request now, or when its turn comes. */
  send(request: PendingRequest): void {
    if (this.finalError !== undefined) this.end(request, Exit.fail(this.finalError(false)))
    else if (this.waiting.length === 0 && this.canSend(request)) this.encode(request)
    else {
      request.request = copyOf(request.request)
      this.waiting.push(request)
    }
  }

  /** Sends a request past those that wait: for the first and the last requests of a connection. */
  sendFirst(request: PendingRequest): void {
    if (this.connection !== undefined) this.encode(request)
    else this.end(request, Exit.void)
  }

  /** Sends a request past those that wait, and no other until it has been answered. */
  sendIsolated(request: PendingRequest): void {
    this.sendFirst(request)
    if (request.xid !== 0) this.isolated = request
  }

  /** There is a connection; `pump` then sends the requests that wait. */
  open(connection: WritableConnection): void {
    this.connection = connection
    this.draining = false
  }

  /** No more requests are sent on this connection. Calls back when all that are in flight have been answered. */
  drain(onIdle: () => void): void {
    this.draining = true
    if (this.inFlight.length === 0) onIdle()
    else this.onIdle = onIdle
  }

  /** The network has taken everything that was encoded so far. */
  markHandedOver(now: number): void {
    if (this.handedOver === 0) this.headSince = now
    this.handedOver = this.inFlight.length
  }

  /** Encodes requests that wait, as far as the limits allow. */
  pump(): void {
    for (let next = this.waiting.at(0); next !== undefined && this.canSend(next); next = this.waiting.at(0)) {
      const request = next
      this.waiting.shift()
      // A request that was never sent need not be when its caller has gone.
      if (request.isAbandoned) this.end(request, Exit.void)
      else this.encode(request)
    }
  }

  /**
   * The caller of a request has gone. A request that was sent keeps its place. Requests that wait are cleared out when
   * they are many, so that a long outage does not gather them.
   */
  abandon(request: PendingRequest): void {
    request.resume = undefined
    request.request = undefined
    this.abandoned++
    this.clearAbandoned()
  }

  private clearAbandoned(): void {
    if (this.abandoned < MAX_ABANDONED || this.abandoned * 2 < this.waiting.length) return
    this.abandoned = 0
    const all = this.waiting.drain()
    for (const request of all) if (request.resume !== undefined) this.waiting.push(request)
    for (const request of all) if (request.resume === undefined) this.end(request, Exit.void)
  }

  /** The request that a reply belongs to, taken from the head. Throws `ProtocolViolation`. */
  takeForReply(header: ReplyHeader, now: number): PendingRequest {
    const request = this.inFlight.at(0)
    if (request === undefined) throw new ProtocolViolation(`a reply (xid ${header.xid}) to no request`)
    if (request.xid !== header.xid)
      throw new ProtocolViolation(`a reply with xid ${header.xid} where ${request.xid} is due`)
    if (this.handedOver === 0) throw new ProtocolViolation(`a reply to request ${header.xid} before it was sent`)
    // The head is advanced first, because its caller runs within `complete` and may send or close the session.
    this.inFlight.shift()
    if (request === this.isolated) this.isolated = undefined
    this.handedOver--
    this.headSince = now
    if (header.zxid > this.lastZxid) this.lastZxid = header.zxid
    return request
  }

  /**
   * The request whose operation the server does not know. The server says so out of turn and closes, so nothing more is
   * sent on this connection. Throws `ProtocolViolation`.
   */
  takeUnknown(xid: number): PendingRequest {
    for (let index = 0; index < this.handedOver; index++) {
      const request = this.inFlight.at(index)!
      if (request.xid !== xid) continue
      this.draining = true
      this.inFlight.remove(index)
      this.handedOver--
      return request
    }
    throw new ProtocolViolation(`a refusal of request ${xid}, which is not with the server`)
  }

  /** Completes a request with its reply, whose body is next in `reader`. Throws `ProtocolViolation`. */
  complete(request: PendingRequest, code: number, reader: JuteReader): void {
    const broken = this.deliverReply(request, code, reader)
    if (this.waiting.length > 0) this.pump()
    if (this.onIdle !== undefined && this.inFlight.length === 0) this.onIdle()
    if (broken !== undefined) {
      throw new ProtocolViolation(`the reply to ${request.operation.name} is malformed: ${broken.message}`)
    }
  }

  /**
   * A frame is larger than the limit, which ends the connection. If it is the next reply, its caller gets an error; an event
   * or the answer to a heartbeat has no caller.
   */
  refuseReply({ length, limit, xid }: Frame.FrameLengthError): void {
    const request = this.inFlight.at(0)
    if (request === undefined || request.xid !== xid) return
    this.isReplyRefused = true
    this.inFlight.shift()
    if (this.handedOver > 0) this.handedOver--
    this.end(
      request,
      Exit.fail(
        new FrameTooLarge({
          operation: request.operation.name,
          path: request.path,
          size: length,
          limit,
          option: "maxFrameSize",
          maybeApplied: request.isWrite
        })
      )
    )
  }

  /**
   * The connection is lost. Writes that were handed to the network fail, for they may have been applied. Reads, and requests
   * that never left, wait in the order in which they were asked.
   */
  disconnect(): void {
    this.recall()
    this.connection = undefined
    this.draining = false
    this.isolated = undefined
    this.onIdle = undefined
    const handedOver = this.handedOver
    this.handedOver = 0
    const lost: Array<PendingRequest> = []
    const kept = new RingQueue<PendingRequest>()
    this.inFlight.drain().forEach((request, index) => {
      const left = index < handedOver
      if (left && !this.isReplyRefused) request.losses++
      const isLost =
        request.isAbandoned || request.onLoss === "drop" || (left && request.isWrite) || request.losses >= MAX_LOSSES
      ;(isLost ? lost : kept).push(request)
    })
    this.isReplyRefused = false
    for (const request of this.waiting.drain()) (request.onLoss === "drop" ? lost : kept).push(request)
    this.waiting = kept
    // Only now may callers run: they can send at once.
    for (const request of lost) {
      this.end(
        request,
        Exit.fail(
          new ConnectionLoss({
            operation: request.operation.name,
            path: request.path,
            maybeApplied: request.isWrite,
            losses: request.losses
          })
        )
      )
    }
  }

  /**
   * Requests that were encoded and did not leave will be sent with the bytes that they have now. A request that is changed
   * just before it is sent is kept itself: it holds no bytes of the caller's.
   */
  private recall(): void {
    if (this.connection === undefined || this.handedOver === this.inFlight.length) return
    const bodies = encodedBodies(this.connection.writer.take())
    for (let index = this.handedOver; index < this.inFlight.length; index++) {
      const request = this.inFlight.at(index)!
      const body = bodies.get(request.xid)
      if (body !== undefined && request.handler?.onSend === undefined && !request.isAbandoned) request.request = body
    }
  }

  /**
   * From now on new requests fail, and so do those that wait. Requests in flight may still be answered. Errors are only made
   * for requests that get them: an idle session that is closed makes none.
   */
  refuseNew(error: FinalError): void {
    this.finalError = error
    const waiting = this.waiting.drain()
    for (const request of waiting) this.end(request, Exit.fail(error(false)))
  }

  /** Fails all requests, and with `finalError` all that are ever sent. */
  failAll(error: FinalError, options: { readonly final: boolean }): void {
    if (options.final) {
      this.finalError = error
      this.connection = undefined
    }
    this.handedOver = 0
    this.isolated = undefined
    const written = this.inFlight.drain()
    const waiting = this.waiting.drain()
    // Bytes that are written may yet leave, even if the network has not taken them.
    for (const request of written) this.end(request, Exit.fail(error(request.isWrite)))
    for (const request of waiting) this.end(request, Exit.fail(error(false)))
  }

  /**
   * Times out the requests that were asked at or before `askedBy`; those that were sent keep their place. Gives the time at
   * which the oldest of the others was asked.
   */
  timeOut(askedBy: number): number | undefined {
    let oldest: number | undefined
    const visit = (queue: RingQueue<PendingRequest>, isWritten: boolean) => {
      for (let index = 0; index < queue.length; index++) {
        const request = queue.at(index)!
        // The session's own requests have no time limit.
        if (request.resume === undefined || request.askedAt === Number.POSITIVE_INFINITY) continue
        if (request.askedAt > askedBy) {
          if (oldest === undefined || request.askedAt < oldest) oldest = request.askedAt
          return
        }
        this.abandoned++
        // Bytes that are written leave together, even if the network has not taken them yet.
        const maybeApplied = isWritten && request.isWrite
        request.request = undefined
        this.resolve(
          request,
          Exit.fail(new RequestTimeout({ operation: request.operation.name, path: request.path, maybeApplied }))
        )
      }
    }
    visit(this.inFlight, true)
    visit(this.waiting, false)
    this.clearAbandoned()
    return oldest
  }

  private canSend(request: PendingRequest): boolean {
    const connection = this.connection
    return (
      connection !== undefined &&
      !this.draining &&
      this.isolated === undefined &&
      this.inFlight.length < this.maxInFlight &&
      connection.writer.length < MAX_UNSENT &&
      // An operation that a server does not know costs the connection, and all requests that are in flight with it.
      (this.inFlight.length === 0 || this.capabilities.isKnown(request.operation))
    )
  }

  private encode(request: PendingRequest): void {
    const connection = this.connection!
    const operation = request.operation
    const isKnown = this.capabilities.isKnown(operation)
    if (!isKnown && !this.capabilities.supports(operation.name)) {
      this.end(request, replyExit(request, ErrorCode.codes.Unimplemented, undefined))
      return
    }
    request.handler?.onSend?.()
    const xid = this.nextXid
    const failure = encodeRequest(connection.writer, request, xid, this.maxRequestSize)
    if (failure !== undefined) {
      this.end(request, failure)
      return
    }
    this.nextXid = xid === MAX_XID ? 1 : xid + 1
    request.xid = xid
    if (!isKnown) this.isolated = request
    this.inFlight.push(request)
    request.sentAt = connection.schedule()
  }

  /** Gives the caller its result. Returns the error of a reply that cannot be read. */
  private deliverReply(request: PendingRequest, code: number, reader: JuteReader): JuteError | undefined {
    const { operation } = request
    let response: unknown = undefined
    // An error has no body that means anything.
    if (code === 0) {
      try {
        response = operation.response.read(reader)
      } catch (cause) {
        if (!(cause instanceof JuteError)) throw cause
        const maybeApplied = request.isWrite
        this.end(
          request,
          Exit.fail(new ProtocolError({ operation: operation.name, path: request.path, cause, maybeApplied }))
        )
        return cause
      }
    }
    const { handler } = request
    request.handler = undefined
    if (handler !== undefined) this.resolve(request, handler.onReply(request, code, response))
    else if (request.resume !== undefined) this.resolve(request, transformedExit(request, code, response))
    return undefined
  }

  private resolve(request: PendingRequest, exit: Exit.Exit<unknown, unknown>): void {
    // Every reply passes here, so there is no closure.
    try {
      request.resolve(exit)
    } catch (defect) {
      this.guardCallback(() => {
        throw defect
      })
    }
  }

  /** Ends a request without a reply. */
  end(request: PendingRequest, exit: Exit.Exit<unknown, unknown>): void {
    this.guardCallback(() => request.end(exit))
  }
}

const assumeAllKnown = { isKnown: () => true, supports: () => true }

/** The oldest request that a server has not answered. */
export interface OldestUnanswered {
  readonly operation: string
  /** Monotonic milliseconds. */
  readonly since: number
}

/** Makes the error of a session that takes no more requests: for a request that may have been applied, or for another. */
export type FinalError = (maybeApplied: boolean) => SessionError
