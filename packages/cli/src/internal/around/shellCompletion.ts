/** Completion of a line of the prompt: commands, flags, and paths of znodes. */
import * as Effect from "effect/Effect"
import * as Completions from "effect/cli/Completions"
import type * as Command from "effect/cli/Command"
import type { Reader } from "../frame/Client.ts"
import { resolvePath } from "../frame/CurrentZnode.ts"
import { quote, split } from "./words.ts"
import { znodePaths } from "./znodePaths.ts"

/** The words that take the place of the last one, and how that is written in the line. */
export type Completed = readonly [candidates: ReadonlyArray<string>, replaced: string]

/** The commands of the prompt itself. */
export const builtIns: ReadonlyArray<string> = ["addauth", "cd", "pwd", "help", "exit"]

/** Completes a line up to the cursor. `zk` is the client of the prompt, `current` its znode. */
export const makeCompleter = (root: Command.Command.Any) => {
  const zkCommand = Completions.fromCommand(root)
  const names = [...builtIns, ...zkCommand.subcommands.map(({ name }) => name)].toSorted()
  return (zk: Pick<Reader, "getChildren" | "stat">, current: string, line: string): Effect.Effect<Completed> => {
    const { mistake, unfinished: last, words } = split(line)
    // Within quotes nothing is completed: what is replaced would have to be quoted in the same way.
    if (mistake !== undefined) return Effect.succeed([[], ""])
    const { typed, word: unfinished } = last ?? { typed: "", word: "" }
    const before = last === undefined ? words : words.slice(0, -1)
    const [command] = before
    const choices = (of: ReadonlyArray<string>): Completed => [
      of.filter((choice) => choice.startsWith(unfinished)).map((choice) => `${choice} `),
      typed
    ]
    if (command === undefined || (command === "help" && before.length === 1)) return Effect.succeed(choices(names))
    const { flags, subcommands } = commandOf(zkCommand, before)
    if (unfinished.startsWith("-")) return Effect.succeed(choices(flags.map(({ name }) => `--${name}`)))
    const [below] = choices(subcommands.map(({ name }) => name))
    return Effect.map(completePath(zk, current, unfinished), (paths): Completed => [
      [...below, ...paths.map(quote)],
      typed
    ])
  }
}

// ---- internal

/** The command of these words, which may be one below another, as in `acl set`. After its arguments it has none below. */
const commandOf = (
  command: Completions.CommandDescriptor,
  [first, ...rest]: ReadonlyArray<string>
): Pick<Completions.CommandDescriptor, "flags" | "subcommands"> => {
  if (first === undefined) return command
  const below = command.subcommands.find(({ name }) => name === first)
  return below === undefined ? { flags: command.flags, subcommands: [] } : commandOf(below, rest)
}

/** Keeps the folder as it was typed. */
const completePath = (zk: Pick<Reader, "getChildren" | "stat">, current: string, typed: string) => {
  const slash = typed.lastIndexOf("/") + 1
  const parent = resolvePath(current, typed.slice(0, slash) || ".")
  const prefix = parent === "/" ? "/" : `${parent}/`
  return Effect.map(znodePaths(zk, prefix + typed.slice(slash), list), (paths) =>
    paths.map((path) => typed.slice(0, slash) + path.slice(prefix.length))
  )
}

/** The list is shown without a question, above the line. */
const list = { most: 500, more: "…" }
