/** The output of a command: text for people, or JSON by a Schema. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { FileError, OutputClosed } from "../frame/errors.ts"
import { codeOf, reasonOf } from "../frame/reasons.ts"
import { withinTime } from "./timeLimit.ts"
import { printError } from "./printError.ts"

export type PrintError = OutputClosed | FileError

export type Mode = "text" | "json" | "ndjson"

export interface PrinterService {
  readonly mode: Mode
  /** Whether the standard output is a terminal. */
  readonly isTerminal: boolean
  readonly style: Style
  /** Writes to the standard output. */
  readonly write: (chunk: string | Uint8Array) => Effect.Effect<void, PrintError>
  /** Writes a line for people to the standard error. */
  readonly note: (line: string) => Effect.Effect<void>
  /**
   * Shows a line on the terminal of the standard error in place of the one before, until something else is written; undefined
   * where that is no terminal.
   */
  readonly progress: ((line: string) => Effect.Effect<void>) | undefined
}

export class Printer extends Context.Service<Printer, PrinterService>()("@effect-zookeeper/cli/Printer") {}

/** Colours, or none, and the room. */
export interface Style {
  /** The columns of the terminal; infinite where the standard output is none. */
  readonly width: number
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly yellow: (text: string) => string
  readonly blue: (text: string) => string
}

/** One value: its text, or its JSON. */
export const printOne = <A, I>(
  schema: Schema.Codec<A, I>,
  value: A,
  text: (value: A, style: Style) => string
): Effect.Effect<void, PrintError, Printer> =>
  Effect.flatMap(Printer, ({ mode, style, write }) => {
    if (mode === "text") return write(text(value, style))
    const json = Schema.encodeSync(schema)(value)
    return write(`${mode === "json" ? JSON.stringify(json, null, 2) : JSON.stringify(json)}\n`)
  })

/**
 * Items as they come: a text for each, a JSON array of all, or a line of JSON for each. An array of a command that runs
 * until it is stopped, `isLive`, is ended by Ctrl-C; another one stays open then, as a sign that it has not all. `titles` is a
 * line above the texts, where there are any.
 */
export const printAll = <A, I, Item extends A, E, R>(
  schema: Schema.Codec<A, I>,
  items: Stream.Stream<Item, E, R>,
  text: (item: Item, style: Style) => string,
  { isLive = false, titles = "" }: { readonly isLive?: boolean; readonly titles?: string } = {}
): Effect.Effect<void, E | PrintError, R | Printer> =>
  Effect.flatMap(Printer, ({ mode, style, write }) => {
    if (mode === "text") {
      let head = titles
      return Stream.runForEachArray(items, (chunk) => {
        const lines = head + chunk.map((item) => text(item, style)).join("")
        head = ""
        return write(lines)
      })
    }
    const encode = Schema.encodeSync(schema)
    if (mode === "ndjson") {
      return Stream.runForEachArray(items, (chunk) =>
        write(chunk.map((item) => `${JSON.stringify(encode(item))}\n`).join(""))
      )
    }
    let separator = "["
    const end = Effect.suspend(() => write(separator === "[" ? "[]\n" : "\n]\n"))
    const all = Stream.runForEachArray(items, (chunk) => {
      let out = ""
      for (const item of chunk) {
        out += `${separator}\n  ${JSON.stringify(encode(item))}`
        separator = ","
      }
      return write(out)
    })
    // A reader that has stopped reading does not hold up the end.
    const endSoon = withinTime(end, 500)
    return Effect.andThen(isLive ? Effect.onInterrupt(all, () => endSoon) : all, end)
  })

/** `columns` of the terminal are those of the standard output, if it is one. */
export const make = (mode: Mode, canColor: boolean, columns = 0) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    const isTerminal = yield* stdio.stdoutIsTerminal
    const toError = (text: string) => printError(stdio, text)
    const width = isTerminal && columns > 0 ? columns : Number.POSITIVE_INFINITY
    let isShown = false
    const erased = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        if (!isShown) return effect
        isShown = false
        return Effect.andThen(toError(eraseLine), effect)
      })
    return {
      mode,
      isTerminal,
      style: { ...(mode === "text" && canColor ? colors : plain), width },
      write: (chunk) =>
        chunk.length === 0
          ? Effect.void
          : erased(
              Stream.make(chunk).pipe(Stream.run(stdio.stdout({ endOnDone: false })), Effect.mapError(toPrintError))
            ),
      note: (line) => erased(toError(`${line}\n`)),
      progress: (yield* stdio.stderrIsTerminal)
        ? (line) =>
            erased(
              line === ""
                ? Effect.void
                : Effect.suspend(() => {
                    isShown = true
                    return toError(line)
                  })
            )
        : undefined
    } satisfies PrinterService
  })

// ---- internal

const eraseLine = "\r\u001b[K"

const toPrintError = (error: { readonly message: string; readonly cause?: unknown }): PrintError => {
  const code = codeOf(error)
  return code === "EPIPE" || code === "ERR_STREAM_DESTROYED" || code === "ERR_STREAM_PREMATURE_CLOSE"
    ? new OutputClosed()
    : new FileError({ message: `the standard output cannot be written: ${reasonOf(error)}` })
}

const escape = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`
const same = (text: string) => text

const colors = { bold: escape(1), dim: escape(2), yellow: escape(33), blue: escape(34) }
const plain = { bold: same, dim: same, yellow: same, blue: same }
