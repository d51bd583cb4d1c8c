/** `zk ephemerals`: the ephemeral znodes of a subtree, and the sessions that own them. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { printAll } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { toItem } from "./item.ts"
import { walking } from "./walking.ts"
import { parseOwner } from "./find.ts"

export interface Input {
  readonly path: string
  readonly owner: string | undefined
}

/** The request of the protocol tells only those of the own session, which a command line has just begun. */
export const ephemerals = Effect.fnUntraced(function* (input: Input) {
  const owner = input.owner === undefined ? undefined : yield* parseOwner(input.owner)
  yield* walking(input.path, {}, (znodes) => {
    const found = znodes.pipe(
      Stream.map(toItem),
      Stream.filter(({ kind, stat }) => kind === "ephemeral" && (owner === undefined || stat?.ephemeralOwner === owner))
    )
    return printAll(
      Output.Znode,
      found,
      ({ path, stat }, style) =>
        `${style.dim(Output.formatHex(stat?.ephemeralOwner ?? 0n).padEnd(18))}  ${shown(path)}\n`
    )
  })
})
