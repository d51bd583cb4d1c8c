import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { SessionError } from "../../SessionError.ts"
import { type OnLoss, PendingRequest, type RequestHandler, type Resume } from "./PendingRequest.ts"
import { announcedOperations, FEATURE_FLAGS } from "./keeperFeatures.ts"
import { replyExit } from "./replies.ts"
import type { RequestPipeline } from "./RequestPipeline.ts"
import type { ServerCapabilities } from "./ServerCapabilities.ts"

/** A check that the root is there, whatever its version: a transaction that changes nothing. */
const proofRequest: Operation.Request<typeof Operations.multi> = [
  { operation: "check", request: { path: "/", version: -1 } }
]

/** Makes the requests of a session: those of applications, and the session's own. */
export class SessionRequests {
  private readonly pipeline: RequestPipeline
  private readonly capabilities: ServerCapabilities
  private readonly now: () => number
  /** Whether requests have a time limit, and so have to know when they were asked. */
  private readonly hasTimeout: boolean
  private readonly isConnected: () => boolean

  constructor(options: {
    readonly pipeline: RequestPipeline
    readonly capabilities: ServerCapabilities
    readonly now: () => number
    readonly hasTimeout: boolean
    readonly isConnected: () => boolean
  }) {
    this.pipeline = options.pipeline
    this.capabilities = options.capabilities
    this.now = options.now
    this.hasTimeout = options.hasTimeout
    this.isConnected = options.isConnected
  }

  /** Sends one request and waits for its reply. `path` is the one that errors name. */
  request<O extends Operation.Any>(
    operation: O,
    request: Operation.Request<O>,
    path: string,
    handler?: RequestHandler
  ): Effect.Effect<Operation.Response<O>, Operation.Error<O> | SessionError> {
    return Effect.callback((resume) => {
      const pending = this.make(operation, request, path, resume, handler)
      handler?.onAsk?.()
      this.send(pending)
      return Effect.sync(() => this.pipeline.abandon(pending))
    })
  }

  /**
   * The same without an effect, as `Session.requestUnsafe` says. Nearly all requests are sent at once and cost no finalizer,
   * which would be half as much again.
   */
  requestUnsafe(
    operation: Operation.Any,
    request: unknown,
    path: string,
    transform: PendingRequest["transform"],
    resume: Resume,
    caller: PendingRequest["caller"]
  ): (() => void) | undefined {
    const pending = this.make(operation, request, path, resume, undefined)
    pending.transform = transform
    pending.caller = caller
    this.send(pending)
    return pending.xid === 0 && pending.resume !== undefined ? () => this.pipeline.abandon(pending) : undefined
  }

  /** Sends a command that no caller waits for, on the current connection or not at all: it means nothing to another one. */
  command<O extends Operation.Any>(operation: O, request: Operation.Request<O>, onOk?: () => void): void {
    if (!this.isConnected() || !this.capabilities.supports(operation.name)) return
    const handler: RequestHandler = {
      onReply: (_pending, code) => {
        if (code === ErrorCode.codes.Ok) onOk?.()
        return Exit.void
      }
    }
    this.pipeline.send(new PendingRequest(operation, request, "", "drop", Number.POSITIVE_INFINITY, () => {}, handler))
  }

  /** Has a quorum prove that it holds the session, by a transaction that is answered once it is committed. */
  sendProof(): void {
    this.pipeline.sendFirst(
      new PendingRequest(Operations.multi, proofRequest, "/", "drop", Number.POSITIVE_INFINITY, () => {})
    )
  }

  /** Asks ClickHouse Keeper which operations it has. No other request is sent before it has answered. */
  askForFeatures(onAnswer: () => void): void {
    const handler: RequestHandler = {
      onReply: (_pending, code, response) => {
        const { data } = code === ErrorCode.codes.Ok ? (response as GetData) : noData
        this.capabilities.announce(announcedOperations(data ?? new Uint8Array(0)))
        onAnswer()
        return Exit.void
      }
    }
    const request = { path: FEATURE_FLAGS, watch: false }
    this.pipeline.sendIsolated(
      new PendingRequest(Operations.getData, request, "", "drop", Number.POSITIVE_INFINITY, () => {}, handler)
    )
  }

  private make(
    operation: Operation.Any,
    request: unknown,
    path: string,
    resume: Resume,
    handler: RequestHandler | undefined
  ): PendingRequest {
    const askedAt = this.hasTimeout ? this.now() : 0
    return new PendingRequest(operation, request, path, onLossOf[operation.kind], askedAt, resume, handler)
  }

  private send(pending: PendingRequest): void {
    // An operation that the server lacks is refused without waiting for its turn.
    if (this.capabilities.supports(pending.operation.name)) this.pipeline.send(pending)
    else this.pipeline.end(pending, replyExit(pending, ErrorCode.codes.Unimplemented, undefined))
  }
}

type GetData = Pick<Operation.Response<typeof Operations.getData>, "data">

/** A Keeper without that znode is older than all flags. */
const noData: GetData = { data: null }

const onLossOf: Record<Operation.Kind, OnLoss> = {
  read: "wait",
  write: "fail",
  // The session asks these of one connection; a caller that still wants one asks again on the next.
  session: "wait"
}
