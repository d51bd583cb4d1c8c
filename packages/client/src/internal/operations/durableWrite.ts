/**
 * Writes that are repeated until it is known what became of them: the one loop behind `protected`, `idempotent` and
 * `guaranteed`.
 */
import { ConnectionLoss, RequestTimeout, type SessionError } from "@effect-zookeeper/session/SessionError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import {
  markMaybeApplied,
  isGivenUp,
  isLost,
  mayBeApplied,
  backoff,
  totalLosses,
  markUnapplied
} from "../../Outcome.ts"
import { lostUnlessAnswered } from "../replyErrors.ts"
import type { View } from "../View.ts"

interface Tagged {
  readonly _tag: string
}

/** What has become of a write whose attempt may have been applied. */
export type Fate<A> =
  | { readonly _tag: "Applied"; readonly value: A }
  /** It was not applied, and has to be sent again. */
  | { readonly _tag: "Unapplied" }
  /** Nobody knows, and it may be sent again. */
  | { readonly _tag: "Unknown" }
  /** What is sent next is another write: the lost attempt is nothing to it. */
  | { readonly _tag: "Anew" }

/** One write in as many attempts as it needs. */
export interface DurableWrite<A, E extends Tagged> {
  /** What errors name. */
  readonly operation: string
  readonly path: string
  /** `isRepeated`: an attempt before this one may have been applied. */
  readonly attempt: (isRepeated: boolean) => Effect.Effect<A, E | SessionError>
  /** Whether an error of a later attempt may be the doing of one before it, so that it is looked once more. */
  readonly isAmbiguous: (error: E | SessionError) => boolean
  /** Looks what has become of it, after an attempt that failed. `lost` is the newest that may have been applied. */
  readonly findFate: (failure: E | SessionError, lost: E | SessionError) => Effect.Effect<Fate<A>, E | SessionError>
  /** Whether a refusal holds for the moment only. Default: never. */
  readonly isTemporary?: (error: E | SessionError) => boolean
  /** Whether it pauses before it is sent again, as `backoff` does. Default false: the session pauses by itself. */
  readonly pauses?: boolean
  /** Default: `requestTimeout`. */
  readonly timeout?: "none"
}

/**
 * Sends a write until its fate is known. It is given up after so many lost connections as any request, and when
 * `requestTimeout` is over, which all its attempts and looks share. An error that comes after an attempt which may have been
 * applied says so.
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

  /** The answer of one attempt, or the failure that leaves its fate open. */
  const attempt = Effect.suspend(() => Effect.result(write.attempt(lost !== undefined))).pipe(
    Effect.flatMap((outcome): Effect.Effect<Result.Result<A, Failure>, Failure> => {
      if (Result.isSuccess(outcome)) return Effect.succeed(outcome)
      total.add(outcome.failure)
      const failure = total.withTotal(outcome.failure)
      if (mayBeApplied(failure)) lost = failure
      else if (write.isTemporary?.(failure) === true) return Effect.succeed(Result.fail(failure))
      else if (lost === undefined) return Effect.fail(failure)
      else if (!write.isAmbiguous(failure)) return Effect.fail(lostUnlessAnswered(failure, lost))
      return Effect.succeed(Result.fail(failure))
    })
  )

  const repeat = Effect.fnUntraced(function* (first: Failure): Effect.fn.Return<A, Failure> {
    let failure = first
    while (true) {
      if (lost !== undefined) {
        const unresolved = lost
        const fate = yield* Effect.mapError(write.findFate(failure, unresolved), (error) =>
          isLost(error) ? unresolved : markMaybeApplied(error)
        )
        if (fate._tag === "Applied") return fate.value
        if (isGivenUp(failure)) return yield* Effect.fail(fate._tag === "Unapplied" ? markUnapplied(failure) : failure)
        if (fate._tag === "Anew") lost = undefined
      }
      // The schedule would count the losses once more, of which each failure tells all so far.
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
  // An attempt that took all of it has failed with the timeout itself.
  if (left <= 0) return yield* Effect.fail(first.failure)
  return yield* Effect.timeoutOrElse(repeat(first.failure), {
    duration: left,
    // Its loss tells more than that the time is over.
    orElse: () => Effect.fail(lost ?? timedOut(write, false))
  })
})

/** `requestTimeout` is over for the write as a whole. */
export const timedOut = (
  { operation, path }: { readonly operation: string; readonly path: string },
  maybeApplied: boolean
): RequestTimeout => new RequestTimeout({ operation, path, maybeApplied })

const uncounted = <E>(failure: E): E | ConnectionLoss =>
  failure instanceof ConnectionLoss ? new ConnectionLoss({ ...failure, losses: 0 }) : failure

/** Milliseconds. */
const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
