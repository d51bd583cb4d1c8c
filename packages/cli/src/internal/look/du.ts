/** `zk du`: the znodes and the bytes of subtrees. */
import * as Output from "../../Output.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import { printAll } from "../output/Printer.ts"
import { shown, size } from "../output/text.ts"
import { walking } from "./walking.ts"

export interface Input {
  readonly path: string
  readonly depth: number
}

export const du = ({ depth, path }: Input) =>
  walking(path, {}, (znodes) =>
    printAll(
      Output.Total,
      TreeWalk.totals(depth)(znodes),
      ({ bytes, path, znodes }) => `${String(znodes).padStart(8)} ${size(bytes).padStart(8)}  ${shown(path)}\n`
    )
  )
