/** The report of the changes that a command has made. */
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { printAll } from "../output/Printer.ts"
import { shown } from "../output/text.ts"

export type Change = typeof Output.Change.Type

/** A line for each change, or its JSON. */
export const printChanges = (changes: ReadonlyArray<Change>) => printChangesAsDone(Stream.fromIterable(changes))

/** The same, each change as soon as it is made. */
export const printChangesAsDone = <E, R>(changes: Stream.Stream<Change, E, R>) =>
  printAll(Output.Change, changes, ({ action, aversion, path, version }, style) => {
    const suffix =
      version !== undefined ? `  (version ${version})` : aversion !== undefined ? `  (ACL version ${aversion})` : ""
    return `${style.dim(words[action] ?? action)} ${shown(path)}${style.dim(suffix)}\n`
  })

// ---- internal

const words: Partial<Record<Change["action"], string>> = {
  aclSet: "set the ACL of",
  quotaRemoved: "removed the quota of"
}
