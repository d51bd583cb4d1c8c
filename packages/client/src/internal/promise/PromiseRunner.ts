/**
 * Runs the calls of a Promise client, and ends them when it closes.
 */
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import { SessionClosed } from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { CallOptions, Run } from "./Run.ts"
import { checkCallOptions } from "./checkCallOptions.ts"
import { DirectCalls } from "./DirectCalls.ts"
import { startOf } from "./directRequest.ts"
import { isTracedIn } from "../tracing.ts"

/** How long a close waits for calls to end after their session, in milliseconds. Then they have nothing left to wait for. */
const MAX_CLOSE_WAIT = 20

type Reject = (reason: unknown) => void

/** The calls of one client that are under way. */
export class PromiseRunner {
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private readonly directCalls = new DirectCalls()
  private closed = false
  private readonly capturesStacks: boolean

  /** `capturesStacks`: whether errors show the lines that made the call. */
  constructor(capturesStacks = false) {
    this.capturesStacks = capturesStacks
  }

  /**
   * Ends all calls that are left: they reject with `SessionClosed`, which says `maybeApplied`, for their fate is not known.
   */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.closed = true
    this.directCalls.endAll(() => new SessionClosed({ maybeApplied: true }))
    // Not without a limit: a callback may ignore its signal, and a close that it calls would wait for itself.
    for (const fiber of this.fibers) fiber.interruptUnsafe()
    return Effect.asVoid(Effect.timeoutOption(Fiber.awaitAll(this.fibers), MAX_CLOSE_WAIT))
  })

  /** A `run` with these services. It starts each Effect at once, so that requests leave in the order of the calls. */
  run<R>(context: Context.Context<R>): Run<R> {
    const fork = Effect.runForkWith(context)
    const canSkipFiber = !isTracedIn(context)
    const run = <A, E>(effect: Effect.Effect<A, E, R>, options?: CallOptions): Promise<A> => {
      try {
        const mistake = options === undefined ? undefined : checkCallOptions(options)
        // A single request needs no fiber, unless it is traced or has a signal that can interrupt it.
        const canStart = canSkipFiber && mistake === undefined && options?.signal === undefined && !this.closed
        const start = canStart ? startOf(effect) : undefined
        return start === undefined ? runFiber(effect, options, mistake) : this.directCalls.start(start, wrapReject)
      } catch (error) {
        return Promise.reject(error)
      }
    }
    const wrapReject = this.capturesStacks ? (reject: Reject) => withCallStack(run, reject) : undefined
    const runFiber = <A, E>(
      effect: Effect.Effect<A, E, R>,
      options: CallOptions | undefined,
      mistake: InvalidArgument | undefined
    ): Promise<A> =>
      new Promise((resolve, rejectWith) => {
        const reject = wrapReject === undefined ? rejectWith : wrapReject(rejectWith)
        if (mistake !== undefined) return reject(mistake)
        const signal = options?.signal
        // A fork would run up to its first pause even with an aborted signal, and might send a request.
        if (signal?.aborted === true) return reject(signal.reason)
        const fiber = fork(effect, options)
        if (fiber.pollUnsafe() === undefined) this.fibers.add(fiber)
        fiber.addObserver((exit) => {
          this.fibers.delete(fiber)
          if (exit._tag === "Success") resolve(exit.value)
          else if (!Cause.hasInterruptsOnly(exit.cause)) reject(Cause.squash(exit.cause))
          else if (signal?.aborted === true) reject(signal.reason)
          else reject(this.closed ? new SessionClosed({ maybeApplied: true }) : Cause.squash(exit.cause))
        })
      })
    return Object.assign(run, { isEnd: (error: unknown) => error instanceof SessionClosed })
  }
}

/** Rejects with errors whose stack shows where the call was made, instead of where the client made the error. */
const withCallStack = (run: (...args: never) => unknown, reject: Reject): Reject => {
  const made: { stack?: string } = {}
  Error.captureStackTrace(made, run)
  return (error) => {
    if (error instanceof Error) {
      const lines = (made.stack ?? "").split("\n").slice(1)
      error.stack = [`${error.name}: ${error.message}`, ...lines].join("\n")
    }
    reject(error)
  }
}
