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
      ({ bytes, path, znodes }) => line(String(znodes), size(bytes), shown(path)),
      { titles: line("ZNODES", "BYTES", "PATH") }
    )
  )

// ---- internal

const line = (znodes: string, bytes: string, path: string): string =>
  `${znodes.padStart(8)} ${bytes.padStart(8)}  ${path}\n`
