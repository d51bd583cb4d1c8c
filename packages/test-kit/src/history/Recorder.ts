/** Records the operations of a client, before a byte leaves, and their results. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import { type Answered, type Asked, encodeLine, type Line } from "./History.ts"
import { outcomeOf } from "./outcome.ts"

export interface Recorder {
  /** A value that no other operation of any client writes: the client's name and a number. */
  readonly unique: () => string
  /**
   * Runs an effect, and records that it began and how it ended. `answered` takes from the result what the checker
   * needs to know. `id` is that of the operation, where others belong to it.
   */
  readonly record: <A, E, R>(
    asked: Asked,
    effect: Effect.Effect<A, E, R>,
    answered: (result: A) => Answered,
    id?: string
  ) => Effect.Effect<A, E, R>
  /** Something that happened at this moment. */
  readonly note: (asked: Asked & Answered, id?: string) => void
  /** Begins an operation of which only the span is known; the returned function ends it. */
  readonly begin: (asked: Asked) => () => void
}

export interface Options {
  /** The name of the client; no two clients of a history have the same. */
  readonly client: string
  /** The session at this moment. */
  readonly session?: (() => string) | undefined
  /** Where lines go: `Array.push` of a history in memory, or `toFile`. */
  readonly write: (line: Line) => void
  /** Microseconds; by default those of the monotonic clock, which all processes of a machine share. */
  readonly now?: (() => number) | undefined
}

export const make = ({ client, now = monotonic, session = () => "", write }: Options): Recorder => {
  let count = 0
  const nextId = () => `${client}.${++count}`
  const invoke = (id: string, asked: Asked, at = now()) =>
    write({ ...asked, id, type: "invoke", at, client, session: session() })
  const complete = (id: string, asked: Asked, answer: Partial<Line> & Pick<Line, "type">, at = now()) =>
    write({ f: asked.f, path: asked.path, ...answer, id, at, client, session: session() })
  return {
    unique: nextId,
    record: (asked, effect, answered, id = nextId()) =>
      Effect.suspend(() => {
        invoke(id, asked)
        return Effect.onExit(effect, (exit) =>
          Effect.sync(() => {
            const { error, outcome } = outcomeOf(exit)
            const answer = Exit.isSuccess(exit) ? answered(exit.value) : {}
            complete(id, asked, { ...answer, type: outcome, error })
          })
        )
      }),
    note: (asked, id = nextId()) => {
      // One moment: a process that is stopped between the two lines did not hold what it notes later than it noted it.
      const at = now()
      invoke(id, asked, at)
      complete(id, asked, { type: "ok" }, at)
    },
    begin: (asked) => {
      const id = nextId()
      invoke(id, asked)
      return () => complete(id, asked, { type: "ok" })
    }
  }
}

/** Appends lines to a file, each before the next thing happens. Several processes may write to one file. */
export const toFile = (path: string): Effect.Effect<(line: Line) => void, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => Fs.openSync(path, "a")),
      (file) => Effect.sync(() => Fs.closeSync(file))
    ),
    (file) => (line) => void Fs.writeSync(file, encodeLine(line))
  )

/** Microseconds of the clock that all processes of a machine share. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1000
