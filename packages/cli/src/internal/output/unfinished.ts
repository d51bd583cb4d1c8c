/** The report of a command that works in steps and does not come to its end. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { withinTime } from "./timeLimit.ts"

/** Milliseconds. A connection that is lost may be the reason, so the report does not wait for long. */
const TIME_LIMIT = 2000

/** Reports it after an error, and also after Ctrl-C, SIGTERM and `--timeout`, which interrupt a command. */
export const reportUnfinished =
  <R2>(report: Effect.Effect<void, never, R2>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | R2> =>
    Effect.onExit(work, (exit) => (Exit.isSuccess(exit) ? Effect.void : withinTime(report, TIME_LIMIT)))
