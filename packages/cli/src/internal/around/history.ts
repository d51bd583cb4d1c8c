/** The lines that were typed at the prompt, in a file that only its user can read. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { historySize } from "./terminalLines.ts"

/**
 * Whether a line is for the history. One that begins with a space is not, and neither is one that has a password, even where
 * `zk` takes none there: what was typed by mistake stays in a file otherwise.
 */
export const isKept = (line: string): boolean => !line.startsWith(" ") && !secrets.some((secret) => secret.test(line))

/** The lines of before, the newest first, and how to save them. Where there is no file, nothing is kept. */
export const openHistory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const folder = yield* Config.String("XDG_STATE_HOME").pipe(
    Config.orElse(() => Config.map(Config.String("HOME"), (home) => paths.join(home, ".local", "state"))),
    Effect.option
  )
  if (Option.isNone(folder)) return { lines: [], save: () => Effect.void }
  const file = paths.join(folder.value, "zk", "history")
  const text = yield* Effect.orElseSucceed(fs.readFileString(file), () => "")
  return {
    lines: text.split("\n").filter((line) => line !== "" && isKept(line)),
    save: (lines: ReadonlyArray<string>) =>
      fs.makeDirectory(paths.dirname(file), { recursive: true, mode: 0o700 }).pipe(
        Effect.andThen(
          fs.writeFileString(
            file,
            lines
              .slice(0, historySize)
              .map((line) => `${line}\n`)
              .join(""),
            { mode: 0o600 }
          )
        ),
        Effect.ignore
      )
  }
})

// ---- internal

/** A user and what follows, as in `digest:ann:secret`; in an ACL it may be a hash, which is no less worth to guess. */
const secrets: ReadonlyArray<RegExp> = [
  /^(zk\s+)?add_?auth\s+\S+(:|\s+)\S*:/i,
  /^(zk\s+)?add_?auth\s+(?!(digest|sasl)\s)\S+\s+\S/i,
  /\b(digest|sasl|super):[^:\s]*:[^:\s]/i,
  /\bauth:[^:\s]+:[^:\s]+:/i,
  /--user[=\s]+[^:\s]+:[^:\s]*:/i
]
