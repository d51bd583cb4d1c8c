/** The report of the changes that a command has made. */
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { printAll } from "../output/Printer.ts"
import { shown } from "../output/text.ts"

export type Change = typeof Output.Change.Type

/** A line for each change, or its JSON. */
export const printChanges = (changes: ReadonlyArray<Change>) =>
  printAll(
    Output.Change,
    Stream.fromIterable(changes),
    ({ action, path, version }, style) =>
      `${style.dim(action)} ${shown(path)}${version === undefined ? "" : style.dim(`  (version ${version})`)}\n`
  )
