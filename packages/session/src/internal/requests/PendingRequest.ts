// oxlint-disable typescript/no-explicit-any -- requests of all operations in one queue; each caller knows its own types
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** What becomes of a request whose connection is lost after it was handed to the network. */
export type OnLoss =
  /** A write: it fails, because it may or may not have been applied. */
  | "fail"
  /** A read: it is sent again on the next connection. */
  | "wait"
  /** It meant something to that connection only. */
  | "drop"

/** Tells the caller. */
export type Resume = (exit: Exit.Exit<any, any>) => void

/**
 * The part of the session that a request concerns beside its caller, such as the registry of watches. The request of an
 * application has none: its caller gets the response, or what `transform` makes of it.
 */
export interface RequestHandler {
  /** Runs once when the request is made, before it can be sent. */
  onAsk?(): void
  /** Runs each time just before the request is encoded. */
  onSend?(): void
  /** Turns a reply into the caller's result, before the reader looks at anything later on the connection. */
  onReply(request: PendingRequest, code: number, response: unknown): Exit.Exit<unknown, unknown>
  /** Runs once when no reply will come any more and `onReply` did not run. */
  onEnd?(): void
}

/**
 * One request from the moment it is asked until its caller knows the outcome. A request whose caller has gone keeps its
 * place, because its reply comes all the same.
 */
export class PendingRequest {
  readonly operation: Operation.Any
  /** The request, or its bytes (`EncodedBody`). It is dropped with the caller, for it may be large. */
  request: unknown
  readonly path: string
  readonly onLoss: OnLoss
  /** When it was asked, in monotonic milliseconds; only kept if there is a request timeout. */
  readonly askedAt: number
  /** How many connections were lost while it was with the server. */
  losses = 0
  /** Undefined once the caller knows the outcome, or no longer wants to. */
  resume: Resume | undefined
  /** The fiber that waits, if it does not say itself that it has gone. */
  caller: Fiber.Fiber<unknown, unknown> | undefined
  /** Makes the caller's result of a response; the caller gets the response itself without it. */
  transform: ((response: never) => unknown) | undefined
  /** Undefined for requests of applications, and once the request has been answered or has ended. */
  handler: RequestHandler | undefined
  /** 0 until it was sent. */
  xid = 0
  /** The turn in which it was encoded, in monotonic milliseconds: no later than the moment at which it left. */
  sentAt = 0

  constructor(
    operation: Operation.Any,
    request: unknown,
    path: string,
    onLoss: OnLoss,
    askedAt: number,
    resume: Resume,
    handler?: RequestHandler
  ) {
    this.operation = operation
    this.request = request
    this.path = path
    this.onLoss = onLoss
    this.askedAt = askedAt
    this.resume = resume
    this.caller = undefined
    this.transform = undefined
    this.handler = handler
  }

  /** Whether it may have been applied once it was sent. */
  get isWrite(): boolean {
    return this.onLoss === "fail"
  }

  /** Whether no caller waits for it any more. */
  get isAbandoned(): boolean {
    return this.resume === undefined || (this.caller !== undefined && this.caller.pollUnsafe() !== undefined)
  }

  /** Tells the caller, if there still is one. */
  resolve(exit: Exit.Exit<unknown, unknown>): void {
    const resume = this.resume
    this.resume = undefined
    resume?.(exit)
  }

  /** Ends it without a reply. */
  end(exit: Exit.Exit<unknown, unknown>): void {
    const { handler } = this
    this.handler = undefined
    handler?.onEnd?.()
    this.resolve(exit)
  }
}
