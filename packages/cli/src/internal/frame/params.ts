/** The arguments and flags that several commands have. */
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"

/** The path of a znode. */
export const znode = (description: string, name = "path") =>
  Argument.String(name).pipe(Argument.withMetavar("znode"), Argument.withDescription(description))

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
      () => "must be 0 or more"
    )
  )
  return (alias === undefined ? flag : flag.pipe(Flag.withAlias(alias))).pipe(
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )
}
