import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { SessionError } from "../SessionError.ts"
import type { CloseCoordinator } from "./CloseCoordinator.ts"
import { PendingRequest } from "./requests/PendingRequest.ts"
import type { FinalError, RequestPipeline } from "./requests/RequestPipeline.ts"
import type { TimerQueue } from "./time/TimerQueue.ts"

/** The session that is to be ended. */
export interface ClosingSession {
  /** Whether there is a session that servers know of, and that only they can end. */
  readonly hasLiveSession: boolean
  /** Whether the connection serves reads under a provisional session. */
  readonly isProvisional: boolean
  /** Whether the server ends a session without an answer, and resumes none on another connection: ClickHouse Keeper. */
  readonly isEndedUnsaid: boolean
}

/** The request that ends the session at a server. It is sent on each connection until a server has answered it. */
export class CloseRequest {
  private readonly session: ClosingSession
  private readonly pipeline: RequestPipeline
  private readonly timers: TimerQueue
  private readonly closeCoordinator: CloseCoordinator
  /** The error of requests that are made from now on. */
  private readonly refusal: FinalError
  private isAwaitingConnection = false
  private done: (() => void) | undefined

  constructor(options: {
    readonly session: ClosingSession
    readonly pipeline: RequestPipeline
    readonly timers: TimerQueue
    readonly closeCoordinator: CloseCoordinator
    readonly refusal: FinalError
  }) {
    this.session = options.session
    this.pipeline = options.pipeline
    this.timers = options.timers
    this.closeCoordinator = options.closeCoordinator
    this.refusal = options.refusal
  }

  /**
   * Asks a server to end the session. Completes with its answer, when the session is over, or at the deadline of the close.
   * If there is no connection, or it is lost, the request waits for the next one.
   */
  get send(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.pipeline.refuseNew(this.refusal)
      const timer = this.timers.makeTimer()
      const done = () => {
        timer.clear()
        this.isAwaitingConnection = false
        resume(Effect.void)
      }
      this.done = done
      timer.set(this.closeCoordinator.deadline ?? 0, done)
      this.trySend()
    })
  }

  /** A connection is ready for requests. */
  connected(): void {
    if (!this.isAwaitingConnection) return
    this.isAwaitingConnection = false
    this.trySend()
  }

  /** The session is over, so there is nothing left to end. */
  sessionEnded(): void {
    this.done?.()
  }

  private trySend(): void {
    if (!this.session.hasLiveSession) {
      this.done?.()
      return
    }
    // The real session cannot be ended under a provisional one.
    if (!this.pipeline.isOpen || this.session.isProvisional) {
      this.isAwaitingConnection = true
      return
    }
    const onClosed = (exit: Exit.Exit<unknown, SessionError>) => {
      if (isUndelivered(exit) && !this.session.isEndedUnsaid) this.isAwaitingConnection = true
      else this.done?.()
    }
    this.pipeline.sendFirst(
      new PendingRequest(Operations.closeSession, undefined, "", "drop", Number.POSITIVE_INFINITY, onClosed)
    )
  }
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
