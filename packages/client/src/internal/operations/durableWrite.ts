/**
 * Repeats a write until its fate is known: the loop behind `protected`, `idempotent` and `guaranteed`.
 */
import { ConnectionLoss, RequestTimeout, type SessionError } from "@effect-zookeeper/session/SessionError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { isGivenUp, mayBeApplied, backoff, totalLosses, markUnapplied } from "../../Outcome.ts"
import { lostUnlessAnswered } from "../replyErrors.ts"
import type { View } from "../View.ts"

interface Tagged {
  readonly _tag: string
}

/** The fate of a write of which an attempt may have been applied. */
export type Fate<A> =
  | { readonly _tag: "Applied"; readonly value: A }
  /** It was not applied, and is sent again. */
  | { readonly _tag: "Unapplied" }
  /** It is unknown, and the write may be sent again. */
  | { readonly _tag: "Unknown" }
  /** The next attempt is another write, to which the lost one does not matter. */
  | { readonly _tag: "Anew" }

/** A write that may take several attempts. */
export interface DurableWrite<A, E extends Tagged> {
  /** The operation and the path that errors name. */
  readonly operation: string
  readonly path: string
  /** `isRepeated`: an attempt before this one may have been applied. */
  readonly attempt: (isRepeated: boolean) => Effect.Effect<A, E | SessionError>
  /** Whether the error of a later attempt may come from an earlier one that was applied, so that another look is needed. */
  readonly isAmbiguous: (error: E | SessionError) => boolean
  /** Finds out the fate of the write after a failed attempt. `lost` is the error of the newest that may have been applied. */
  readonly findFate: (failure: E | SessionError, lost: E | SessionError) => Effect.Effect<Fate<A>, E | SessionError>
  /** Whether the server has refused for the moment only, unless the write is given up. Default: never. */
  readonly isTemporary?: (error: E | SessionError) => boolean
  /** Whether to pause as `backoff` does before the write is sent again. Default false: the session has its own pauses. */
  readonly pauses?: boolean
  /** Default: `requestTimeout`. */
  readonly timeout?: "none"
}

/**
 * Sends a write until its fate is known. It gives up after eight lost connections, like any request, and after
 * `requestTimeout` for all attempts and looks together. If an attempt may have been applied, the error says so.
 */
export const writeDurably = Effect.fnUntraced(function* <A, E extends Tagged>(
  view: View,
  write: DurableWrite<A, E>
): Effect.fn.Return<A, E | SessionError> {
  type Failure = E | SessionError
  const timeout = write.timeout === "none" ? undefined : view.session.limits.requestTimeout
  const begun = timeout === undefined ? 0 : yield* now
  const total = totalLosses()
  const step = write.pauses === true ? yield* Schedule.toStepWithSleep(backoff) : undefined
  let lost: Failure | undefined

  /** The answer of one attempt, or a failure after which its fate is open. */
  const attempt = Effect.suspend(() => Effect.result(write.attempt(lost !== undefined))).pipe(
    Effect.flatMap((outcome): Effect.Effect<Result.Result<A, Failure>, Failure> => {
      if (Result.isSuccess(outcome)) return Effect.succeed(outcome)
      total.add(outcome.failure)
      const failure = total.withTotal(outcome.failure)
      if (mayBeApplied(failure)) lost = failure
      // An attempt that begins with a look may be given up before it has sent anything.
      else if (!isGivenUp(failure) && write.isTemporary?.(failure) === true) return Effect.succeed(Result.fail(failure))
      else if (lost === undefined) return Effect.fail(failure)
      else if (!write.isAmbiguous(failure)) return Effect.fail(lostUnlessAnswered(failure, total.withTotal(lost)))
      return Effect.succeed(Result.fail(failure))
    })
  )

  const repeat = Effect.fnUntraced(function* (first: Failure): Effect.fn.Return<A, Failure> {
    let failure = first
    while (true) {
      if (lost !== undefined) {
        const unresolved = lost
        const fate = yield* Effect.mapError(write.findFate(failure, unresolved), (error) => {
          // The caller's own loop must see that the look was given up.
          if (error !== unresolved) total.add(error)
          return lostUnlessAnswered(error, total.withTotal(unresolved))
        })
        if (fate._tag === "Applied") return fate.value
        if (isGivenUp(failure)) return yield* Effect.fail(fate._tag === "Unapplied" ? markUnapplied(failure) : failure)
        if (fate._tag === "Anew") lost = undefined
      }
      // Each failure has the total of losses, which the schedule would add up again.
      if (step !== undefined) yield* Effect.ignore(step(uncounted(failure)))
      const outcome = yield* attempt
      if (Result.isSuccess(outcome)) return outcome.success
      failure = outcome.failure
    }
  })

  const first = yield* attempt
  if (Result.isSuccess(first)) return first.success
  if (timeout === undefined) return yield* repeat(first.failure)
  const left = begun + timeout - (yield* now)
  // An attempt that took all of the time has failed with RequestTimeout itself.
  if (left <= 0) return yield* Effect.fail(first.failure)
  return yield* Effect.timeoutOrElse(repeat(first.failure), {
    duration: left,
    // The lost attempt says more than a timeout: that the write may have been applied.
    orElse: () => Effect.fail(lost ?? timedOut(write, false))
  })
})

/** The error of a write that took longer than `requestTimeout` as a whole. */
export const timedOut = (
  { operation, path }: { readonly operation: string; readonly path: string },
  maybeApplied: boolean
): RequestTimeout => new RequestTimeout({ operation, path, maybeApplied })

const uncounted = <E>(failure: E): E | ConnectionLoss =>
  failure instanceof ConnectionLoss ? new ConnectionLoss({ ...failure, losses: 0 }) : failure

/** The monotonic clock in milliseconds. */
const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
