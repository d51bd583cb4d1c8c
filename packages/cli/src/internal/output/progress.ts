/** How far a long command has come, on the standard error. */
import type { OnProgress, Progress } from "@effect-zookeeper/storage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Printer } from "./Printer.ts"

/** Runs something that reports its progress: a line on the terminal has it, which is replaced, and nothing elsewhere. */
export const withProgress = <A, E, R>(run: (onProgress: OnProgress) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { progress } = yield* Printer
    if (progress === undefined) return yield* run(() => {})
    let latest: Progress | undefined
    let start = { phase: "", at: 0, done: 0 }
    const show = Effect.gen(function* () {
      if (latest === undefined) return
      const now = yield* Clock.currentTimeMillis
      if (start.phase !== latest.phase) start = { phase: latest.phase, at: now, done: latest.done }
      yield* progress(progressText(latest, latest.done - start.done, now - start.at))
    })
    const shows = Effect.sleep("500 millis").pipe(Effect.andThen(show), Effect.forever)
    const onProgress = (progress: Progress) => {
      latest = progress
    }
    return yield* Effect.raceFirst(run(onProgress), shows).pipe(Effect.ensuring(progress("")))
  })

/**
 * Runs something whose progress can be asked for: from the second second on a line on the terminal has it, and nothing elsewhere.
 * `total` is asked once.
 */
export const withCount = <A, E, R, R2 = never>(
  {
    done,
    phase,
    text,
    total
  }: {
    readonly phase: string
    /** How a number is shown. Default: as it is. */
    readonly text?: (count: number) => string
    readonly done: Effect.Effect<number, unknown, R2>
    readonly total: Effect.Effect<number, unknown, R2>
  },
  run: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | R2 | Printer> =>
  Effect.gen(function* () {
    const { progress } = yield* Printer
    if (progress === undefined) return yield* run
    const start = yield* Clock.currentTimeMillis
    const shows = Effect.gen(function* () {
      yield* Effect.sleep("1 second")
      const all = yield* Effect.orElseSucceed(total, () => undefined)
      while (true) {
        const count = yield* Effect.orElseSucceed(done, () => undefined)
        const now = yield* Clock.currentTimeMillis
        if (count !== undefined)
          yield* progress(progressText({ phase, done: count, total: all }, count, now - start, text))
        yield* Effect.sleep("500 millis")
      }
    })
    return yield* Effect.raceFirst(run, shows).pipe(Effect.ensuring(progress("")))
  })

/** `sinceStart` were done in this phase in so many milliseconds. */
export const progressText = (
  { done, phase, total }: Pick<Progress, "done" | "total"> & { readonly phase: string },
  sinceStart: number,
  millis: number,
  text: (count: number) => string = String
): string => {
  const rate = millis > 0 ? (sinceStart * 1000) / millis : 0
  const parts = [
    total === undefined ? `${phase} ${text(done)}` : `${phase} ${text(done)} of ${text(Math.max(total, done))}`,
    ...(rate > 0 ? [`${text(Math.round(rate))}/s`] : []),
    ...(rate > 0 && total !== undefined && total > done ? [`${Math.ceil((total - done) / rate)} s left`] : [])
  ]
  return parts.join(", ")
}
