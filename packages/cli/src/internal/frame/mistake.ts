/** A mistake on the command line in one line: what it is, what was meant, and where to read on. */
import type * as CliOutput from "effect/cli/CliOutput"
import { misspelt, wordsOfOthers } from "./misspelt.ts"
import { hintFor } from "./otherShells.ts"

/** The line. More mistakes than the first one are no help. */
export const describeMistake = (
  { commandPath, errors, helpDoc }: CliOutput.Presenter.InvalidInvocation,
  args: ReadonlyArray<string>
): string => {
  const [first] = errors
  const command = commandPath.join(" ")
  const flag = misspelt(first, args, helpDoc)
  const word = flag?.word ?? ""
  const alike = flag?.alike ?? (first !== undefined && "suggestions" in first ? first.suggestions : [])
  // Names that are all equally far away are no help.
  const isClose = alike.length > 0 && alike.length <= 3
  const guess = isClose ? `${flag?.isExact === true ? "here that is" : "perhaps"} ${alike.join(" or ")}` : ""
  const hint = wordsOfOthers.get(word) ?? (flag?.isExact === true ? undefined : hintFor(first, args))
  // The help of `zk` has it. One before the command may be a flag of `zk` alone.
  const isGlobal =
    flag?.isGlobal === true ||
    wordsOfOthers.has(word) ||
    (first?._tag === "UnrecognizedOption" && first.command?.length === 1)
  return [
    // Of a long word with one dash, the error has a letter.
    /^-[^-]{2}/.test(word) ? `Unrecognized flag: ${word} in command ${command}` : textOf(first),
    hint ?? guess,
    `see ${isGlobal ? "zk" : command} --help`
  ]
    .filter((part) => part !== "")
    .join("; ")
}

// ---- internal

/** Names that look alike are on lines below the first one, and are left out. All numbers of flags are whole ones. */
const textOf = (error: CliOutput.Presenter.InvalidInvocation["errors"][number] | undefined): string => {
  const text = error?.message ?? "the command line has a mistake"
  const hasNames = error !== undefined && "suggestions" in error
  return (hasNames ? text.replace(/\n[^]*$/, "") : text)
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/\.$/, "")
    .replace(/Expected (?:a string representing a finite number|an integer)$/, "Expected: a whole number")
}
