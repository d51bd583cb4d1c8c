// oxlint-disable typescript/no-explicit-any -- requests of all operations in one queue; each caller knows its own types
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** What becomes of a request whose connection is lost after it was handed to the network. */
export type OnLoss =
  /** A write: whether it was applied nobody can tell. */
  | "fail"
  /** A read: it is asked again on the next connection. */
  | "wait"
  /** It meant something to that connection only. */
  | "drop"

/** Tells the caller. */
export type Resume = (exit: Exit.Exit<any, any>) => void

/** Turns a reply into the caller's result, in the reader, before anything later on the connection is looked at. */
export type OnReply = (code: number, response: unknown) => Exit.Exit<unknown, unknown>

/**
 * One request from the moment it is asked until its caller knows the outcome. A request whose caller has gone keeps its
 * place, for its reply comes all the same.
 */
export class PendingRequest {
  readonly operation: Operation.Any
  /** What is asked, or its bytes (`EncodedBody`); dropped with the caller, for it may be large. */
  request: unknown
  readonly path: string
  readonly onLoss: OnLoss
  /** When it was asked, in monotonic milliseconds; only kept where there is a request timeout. */
  readonly askedAt: number
  /** How many connections were lost while it was with the server. */
  losses = 0
  /** Undefined once the caller knows, or no longer wants to. */
  resume: Resume | undefined
  /** The fiber that waits, where it does not say itself that it has gone. */
  caller: Fiber.Fiber<unknown, unknown> | undefined
  onReply: OnReply | undefined
  /** What the caller gets for a response of the operation; the response itself without it. */
  transform: ((response: never) => unknown) | undefined
  /** Runs each time just before the request is encoded. */
  onSend: (() => void) | undefined
  /** Runs once, when no reply will come any more and `onReply` did not run. */
  onEnd: (() => void) | undefined
  /** 0 until it was sent. */
  xid = 0
  /** The turn in which it was encoded, in monotonic milliseconds: no later than the moment that it left. */
  sentAt = 0

  constructor(
    operation: Operation.Any,
    request: unknown,
    path: string,
    onLoss: OnLoss,
    askedAt: number,
    resume: Resume
  ) {
    this.operation = operation
    this.request = request
    this.path = path
    this.onLoss = onLoss
    this.askedAt = askedAt
    this.resume = resume
    this.caller = undefined
    this.onReply = undefined
    this.transform = undefined
    this.onSend = undefined
    this.onEnd = undefined
  }

  /** Whether it may have been applied once it was sent. */
  get isWrite(): boolean {
    return this.onLoss === "fail"
  }

  /** Whether nobody waits for it any more. */
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
    const onEnd = this.onEnd
    this.onEnd = undefined
    onEnd?.()
    this.resolve(exit)
  }
}
