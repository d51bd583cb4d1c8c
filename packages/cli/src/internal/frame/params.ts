/** The arguments and flags that several commands have. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import { CurrentZnode, resolvePath } from "./CurrentZnode.ts"

/** The path of a znode; with `isPrefix`, servers append a number to it. */
export const znode = (description: string, name = "path", { isPrefix = false } = {}) =>
  Argument.String(name).pipe(
    Argument.withMetavar("znode"),
    Argument.withDescription(description),
    Argument.mapEffect((path) => Effect.map(CurrentZnode, (current) => resolvePath(current, path, isPrefix)))
  )

/** The path of a znode; where it is left out, the current znode of `zk shell`, or the root. */
export const znodeOrRoot = (description: string) =>
  znode(description).pipe(
    Argument.optional,
    Argument.mapEffect((path) =>
      Option.isSome(path) ? Effect.succeed(path.value) : Effect.map(CurrentZnode, (current) => current ?? "/")
    )
  )

/** The path of a znode; at the prompt of `zk shell` it can be left out, and is the current znode. */
export const znodeOrCurrent = (description: string) =>
  znode(description).pipe(
    Argument.optional,
    Argument.mapEffect((path) =>
      Option.isSome(path)
        ? Effect.succeed(path.value)
        : Effect.flatMap(CurrentZnode, (current) =>
            current === undefined ? new CliError.MissingArgument({ argument: "path" }) : Effect.succeed(current)
          )
    )
  )

export const toggle = (name: string, description: string, alias?: string) => {
  const flag = Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))
  return alias === undefined ? flag : flag.pipe(Flag.withAlias(alias))
}

export const optionalText = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

/** A whole number from 0 on. */
export const optionalNumber = (name: string, metavar: string, description: string, alias?: string) => {
  const flag = Flag.Int(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.filter(
      (value) => value >= 0,
      () => "a whole number from 0"
    )
  )
  return (alias === undefined ? flag : flag.pipe(Flag.withAlias(alias))).pipe(
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )
}

/** The conditions of `find`, in a live tree and in files. */
export const conditions = {
  name: optionalText("name", "glob", "The name of the znode, as in 'lock-*'"),
  kind: Flag.Literals("kind", ["persistent", "ephemeral"]).pipe(
    Flag.withDescription("The kind of the znode; containers and znodes with a TTL count as persistent"),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  ),
  owner: optionalText("owner", "session", "The session that owns it, as in 0x100000002"),
  larger: optionalText("larger", "size", "More bytes of data than this, as in 100, 4k or 1m"),
  smaller: optionalText("smaller", "size", "Fewer bytes of data than this"),
  older: optionalText("older", "duration", "Last written longer ago than this, as in 30s, 5m, 2h or 7d"),
  newer: optionalText("newer", "duration", "Last written more recently than this"),
  contains: optionalText("contains", "text", "Text that the data has"),
  matches: optionalText("matches", "regex", "A regular expression that matches the data"),
  open: toggle("open", "Whose ACL lets everybody change it, or what is below it; a request for each znode"),
  maxDepth: optionalNumber("depth", "levels", "How many levels to search (default: all)", "L"),
  long: toggle("long", "Print as ls -l does", "l")
}
