/** Lines that a person types at a terminal, with Node's editing, history and completion. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Readline from "node:readline"
import type { Completed } from "./shellCompletion.ts"

export interface Options {
  /** The lines of before, the newest first. It gets those that are typed. */
  readonly history: Array<string>
  /** Whether a line is for the history. */
  readonly isKept: (line: string) => boolean
  readonly complete: (line: string, done: (completed: Completed) => void) => void
}

/** How many lines are remembered. */
export const historySize = 1000

/**
 * Gives the next line for a prompt, and nothing at the end of the input (Ctrl-D). Ctrl-C gives an empty line. Between two
 * lines the terminal belongs to the command that runs.
 */
export const makeTerminalLines = ({ complete, history, isKept }: Options) => {
  /** Lines that came with another in one piece, as text that is pasted does. */
  const pasted: Array<string> = []
  /** The text that was typed after the last line. */
  let rest = ""
  return (prompt: string): Effect.Effect<Option.Option<string>> =>
    Effect.callback((resume) => {
      const next = pasted.shift()
      if (next !== undefined) {
        process.stdout.write(`${prompt}${next}\n`)
        return resume(Effect.succeedSome(next))
      }
      // Ctrl-D at the question of a command has ended it for good.
      if (process.stdin.readableEnded) return resume(Effect.succeedNone)
      const lines: Array<string> = []
      const terminal = Readline.createInterface({
        input: process.stdin,
        output: process.stdout,
        terminal: true,
        history: [...history],
        historySize,
        removeHistoryDuplicates: true,
        prompt,
        completer: (line: string, done: (error: null, completed: [Array<string>, string]) => void) => {
          complete(line, ([candidates, replaced]) => done(null, [[...candidates], replaced]))
        }
      })
      let isDone = false
      // A command that has asked a question stops to listen some time after its end.
      process.stdin.on("pause", stay)
      const end = (): void => {
        if (isDone) return
        isDone = true
        process.stdin.off("pause", stay)
        rest = lines.length === 0 ? "" : terminal.line
        terminal.close()
        const [first, ...others] = lines
        pasted.push(...others)
        resume(Effect.succeed(Option.fromUndefinedOr(first)))
      }
      // The lines of one piece come in one turn.
      terminal.on("line", (line) => {
        if (lines.push(line) === 1) queueMicrotask(end)
      })
      terminal.on("history", (all) => {
        history.splice(0, history.length, ...all.filter(isKept))
      })
      terminal.on("SIGINT", () => {
        process.stdout.write("^C\n")
        // The text that was typed is forgotten.
        terminal.write(null, { ctrl: true, name: "e" })
        terminal.write(null, { ctrl: true, name: "u" })
        if (lines.push("") === 1) queueMicrotask(end)
      })
      terminal.on("close", end)
      terminal.prompt()
      if (rest !== "") terminal.write(rest)
      return Effect.sync(() => {
        isDone = true
        process.stdin.off("pause", stay)
        terminal.close()
      })
    })
}

// ---- internal

const stay = (): void => void process.stdin.resume()
