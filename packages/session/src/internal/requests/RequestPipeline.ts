import type * as Frame from "@effect-zookeeper/protocol/Frame"
import { JuteError } from "@effect-zookeeper/protocol/JuteError"
import type { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as Exit from "effect/Exit"
import type { SessionError } from "../../SessionError.ts"
import {
  ConnectionLoss,
  FrameTooLarge,
  MAX_LOSSES,
  ProtocolError,
  RequestTimeout,
  ServerRefused
} from "../../SessionError.ts"
import type { GuardCallback } from "../guardCallback.ts"
import { RingQueue } from "./RingQueue.ts"
import { EncodedBody, encodedBodies } from "./EncodedBody.ts"
import type { PendingRequest } from "./PendingRequest.ts"
import type { ServerCapabilities } from "./ServerCapabilities.ts"
import { ProtocolViolation } from "./ProtocolViolation.ts"

/** Where requests of the current connection are written to. */
export interface WritableConnection {
  readonly writer: JuteWriter
  /** Sees to it that what was written leaves at the end of the turn; the time of this turn, in monotonic milliseconds. */
  readonly schedule: () => number
}

/** Above this, callers wait until the network has taken what it was given (4 MiB). */
const MAX_UNSENT = 4_194_304

const MAX_XID = 2_147_483_647

/** So many requests without a caller may wait before it is worth looking for them. */
const MAX_ABANDONED = 1024

/** Bytes. */
const REPLY_HEADER = 16

/**
 * The requests of a session: those that wait for a connection or for their turn, and those whose replies are on the way,
 * in the order in which they were sent and will be answered.
 *
 * This is the path of every request: plain loops and one suspension of the caller, nothing else.
 */
export class RequestPipeline {
  private readonly maxInFlight: number
  private readonly maxRequestSize: number
  private readonly guardCallback: GuardCallback
  private waiting = new RingQueue<PendingRequest>()
  private readonly inFlight = new RingQueue<PendingRequest>()
  /** How many of those in flight, from the head on, the network has. */
  private handedOver = 0
  /** When the network got the first of those, or the reply before its own came: monotonic milliseconds. */
  private headSince = 0
  private connection: WritableConnection | undefined
  /** A request of an operation that this server may not know: nothing else is in flight with it. */
  private isolated: PendingRequest | undefined
  private readonly capabilities: Pick<ServerCapabilities, "isKnown" | "supports">
  /** Only what is in flight is waited for: the connection is about to be left. */
  private draining = false
  private finalError: FinalError | undefined
  private nextXid: number
  private onIdle: (() => void) | undefined
  /** Requests whose callers have gone since the last clearing, at most; some of them wait. */
  private abandoned = 0
  /** The newest transaction seen in a reply to a request. */
  lastZxid = 0n

  constructor(
    limits: { readonly maxInFlight: number; readonly maxRequestSize: number },
    firstXid: number,
    guardCallback: GuardCallback,
    /** What the server knows: a request of an operation that it may not know is sent alone. */
    capabilities: Pick<ServerCapabilities, "isKnown" | "supports"> = assumeAllKnown
  ) {
    this.capabilities = capabilities
    this.maxInFlight = limits.maxInFlight
    this.maxRequestSize = limits.maxRequestSize
    this.guardCallback = guardCallback
    this.nextXid = firstXid
  }

  /** Why nothing is taken any more, once that is so. */
  get refusal(): SessionError | undefined {
    return this.finalError?.(false)
  }

  get inFlightCount(): number {
    return this.inFlight.length
  }

  /** How many of those in flight are proofs: no other transaction means something to its connection only. */
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

  /** Sends a request past those that wait: for what a connection begins and ends with. */
  sendFirst(request: PendingRequest): void {
    if (this.connection !== undefined) this.encode(request)
    else this.end(request, Exit.void)
  }

  /** Sends a request past those that wait, and nothing else until it has been answered. */
  sendIsolated(request: PendingRequest): void {
    this.sendFirst(request)
    if (request.xid !== 0) this.isolated = request
  }

  /** There is a connection; `pump` then sends what waits. */
  open(connection: WritableConnection): void {
    this.connection = connection
    this.draining = false
  }

  /** No more requests are sent on this connection; what is in flight may still be answered. Calls back when all is. */
  drain(onIdle: () => void): void {
    this.draining = true
    if (this.inFlight.length === 0) onIdle()
    else this.onIdle = onIdle
  }

  /** The network has taken all that was encoded so far. */
  markHandedOver(now: number): void {
    if (this.handedOver === 0) this.headSince = now
    this.handedOver = this.inFlight.length
  }

  /** Encodes what waits, as far as the limits allow. */
  pump(): void {
    for (let next = this.waiting.at(0); next !== undefined && this.canSend(next); next = this.waiting.at(0)) {
      const request = next
      this.waiting.shift()
      // A request that nobody waits for and that was never sent need not be.
      if (request.isAbandoned) this.end(request, Exit.void)
      else this.encode(request)
    }
  }

  /**
   * The caller of a request has gone. One that was sent keeps its place; those that wait are cleared out when they are
   * many, so that a long outage does not gather what nobody wants any more.
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
    if (request === undefined) throw new ProtocolViolation(`a reply (xid ${header.xid}) that nobody waits for`)
    if (request.xid !== header.xid)
      throw new ProtocolViolation(`a reply with xid ${header.xid} where ${request.xid} is due`)
    if (this.handedOver === 0) throw new ProtocolViolation(`a reply to request ${header.xid} before it was sent`)
    // The head is advanced first: its caller runs within `complete` and may send, or close the session.
    this.inFlight.shift()
    if (request === this.isolated) this.isolated = undefined
    this.handedOver--
    this.headSince = now
    if (header.zxid > this.lastZxid) this.lastZxid = header.zxid
    return request
  }

  /**
   * The request that the server does not know. It says so out of turn, and closes: nothing more is sent on this
   * connection. Throws `ProtocolViolation`.
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

  /** Completes a request with its reply, whose body `reader` stands at. Throws `ProtocolViolation`. */
  complete(request: PendingRequest, code: number, reader: JuteReader): void {
    const broken = this.deliverReply(request, code, reader)
    if (this.waiting.length > 0) this.pump()
    if (this.onIdle !== undefined && this.inFlight.length === 0) this.onIdle()
    if (broken !== undefined) {
      throw new ProtocolViolation(`the reply to ${request.operation.name} is malformed: ${broken.message}`)
    }
  }

  /**
   * A frame is larger than the limit, and the connection is of no more use: if it is the next reply its caller learns it.
   * An event, or the answer to a heartbeat, is nobody's.
   */
  refuseReply({ length, limit, xid }: Frame.FrameLengthError): void {
    const request = this.inFlight.at(0)
    if (request === undefined || request.xid !== xid) return
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
   * The connection is lost. Writes that were handed to the network fail, for they may have been applied; reads, and what
   * never left, wait in the order in which they were asked.
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
      if (left) request.losses++
      const isLost =
        request.isAbandoned || request.onLoss === "drop" || (left && request.isWrite) || request.losses >= MAX_LOSSES
      ;(isLost ? lost : kept).push(request)
    })
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
   * What was encoded and did not leave will be sent with the bytes that it has now. Where something is set just before each
   * sending, it is in the request, which then holds no bytes of the caller's.
   */
  private recall(): void {
    if (this.connection === undefined || this.handedOver === this.inFlight.length) return
    const bodies = encodedBodies(this.connection.writer.take())
    for (let index = this.handedOver; index < this.inFlight.length; index++) {
      const request = this.inFlight.at(index)!
      const body = bodies.get(request.xid)
      if (body !== undefined && request.onSend === undefined && !request.isAbandoned) request.request = body
    }
  }

  /**
   * From now on requests fail, and so do those that wait; what is in flight may still be answered. An error is made when
   * somebody gets it: nobody does where a session is closed that has nothing left to do.
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
    // What is written may yet leave, even if the network has not taken it.
    for (const request of written) this.end(request, Exit.fail(error(request.isWrite)))
    for (const request of waiting) this.end(request, Exit.fail(error(false)))
  }

  /**
   * Times out what was asked at or before `askedBy`; those that were sent keep their place. The time at which the oldest
   * of the others was asked.
   */
  timeOut(askedBy: number): number | undefined {
    let oldest: number | undefined
    const visit = (queue: RingQueue<PendingRequest>, isWritten: boolean) => {
      for (let index = 0; index < queue.length; index++) {
        const request = queue.at(index)!
        // What the session asks for itself has no time limit.
        if (request.resume === undefined || request.askedAt === Number.POSITIVE_INFINITY) continue
        if (request.askedAt > askedBy) {
          if (oldest === undefined || request.askedAt < oldest) oldest = request.askedAt
          return
        }
        this.abandoned++
        // What is written leaves with all else that is, even if the network has not taken it yet.
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
      // What a server does not know costs the connection, and all that is in flight with it.
      (this.inFlight.length === 0 || this.capabilities.isKnown(request.operation))
    )
  }

  private encode(request: PendingRequest): void {
    const connection = this.connection!
    const writer = connection.writer
    const operation = request.operation
    const isKnown = this.capabilities.isKnown(operation)
    if (!isKnown && !this.capabilities.supports(operation.name)) {
      this.end(request, replyExit(request, ErrorCode.codes.Unimplemented, undefined))
      return
    }
    request.onSend?.()
    const start = writer.length
    const xid = this.nextXid
    try {
      writer.int(0)
      writer.int(xid)
      writer.int(operation.opCode)
      const asked = request.request
      if (asked instanceof EncodedBody) writer.raw(asked.bytes)
      else operation.request.write(writer, asked)
    } catch (defect) {
      writer.truncate(start)
      this.end(request, Exit.die(defect))
      return
    }
    const size = writer.length - start - 4
    if (size > this.maxRequestSize) {
      writer.truncate(start)
      const { path } = request
      const limit = this.maxRequestSize
      this.end(
        request,
        Exit.fail(new FrameTooLarge({ operation: operation.name, path, size, limit, option: "maxRequestSize" }))
      )
      return
    }
    writer.setInt(start, size)
    this.nextXid = xid === MAX_XID ? 1 : xid + 1
    request.xid = xid
    if (!isKnown) this.isolated = request
    this.inFlight.push(request)
    request.sentAt = connection.schedule()
  }

  /** Gives the caller its result; what was wrong with the reply, if it could not be read. */
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
    const onReply = request.onReply
    request.onEnd = undefined
    if (onReply !== undefined) this.resolve(request, onReply(code, response))
    else if (request.resume !== undefined) this.resolve(request, transformedExit(request, code, response))
    return undefined
  }

  private resolve(request: PendingRequest, exit: Exit.Exit<unknown, unknown>): void {
    // The path of every reply: no closure.
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

/** The oldest of what a server has not answered. */
export interface OldestUnanswered {
  readonly operation: string
  /** Monotonic milliseconds. */
  readonly since: number
}

/** Why a session takes no more, told to a request that may have been applied, or to one that was not. */
export type FinalError = (maybeApplied: boolean) => SessionError

/**
 * A request as it is now, whatever its caller does with his bytes and arrays while it waits. One without any stays the object
 * that it is: whether a read sets a watch is written into it when it is sent.
 */
const copyOf = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (ArrayBuffer.isView(value)) return new Uint8Array(value as Uint8Array)
  if (Array.isArray(value)) return value.map(copyOf)
  let copy: Record<string, unknown> | undefined
  for (const [key, member] of Object.entries(value)) {
    const own = copyOf(member)
    if (own !== member) (copy ??= { ...value })[key] = own
  }
  return copy ?? value
}

/** The header of every reply. */
export interface ReplyHeader {
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
}

/** Reads the header of a reply; the reader then stands at the body. Throws `ProtocolViolation`. */
export const readReplyHeader = (reader: JuteReader): ReplyHeader => {
  if (reader.remaining < REPLY_HEADER)
    throw new ProtocolViolation(`a reply of ${reader.remaining} bytes, too short for its header`)
  return { xid: reader.int(), zxid: reader.long(), err: reader.int() }
}

/** What a caller gets for a reply: the response, the typed error of the operation's row, or `ServerRefused`. */
export const replyExit = (
  request: { readonly operation: PendingRequest["operation"]; readonly path: string },
  code: number,
  response: unknown
): Exit.Exit<unknown, ServerError.ServerError | ServerRefused> =>
  code === 0 ? Exit.succeed(response) : Exit.fail(replyError(request.operation, request.path, code))

/** The outcome, with what the caller wants to have instead of the response. */
const transformedExit = (request: PendingRequest, code: number, response: unknown): Exit.Exit<unknown, unknown> => {
  const { transform } = request
  if (transform === undefined || code !== 0) return replyExit(request, code, response)
  try {
    // The response was read by the operation that `transform` was given for.
    return Exit.succeed(transform(response as never))
  } catch (defect) {
    return Exit.die(defect)
  }
}

const replyError = (operation: PendingRequest["operation"], path: string, code: number) =>
  ServerError.fromCode(code, operation.errors, { operation: operation.name, path }) ??
  new ServerRefused({
    operation: operation.name,
    path,
    code,
    name: ErrorCode.nameOf(code),
    ...(operation.kind === "write" && !ErrorCode.isRefusal(code) ? { maybeApplied: true } : {})
  })
