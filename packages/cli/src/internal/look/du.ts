/** `zk du`: the znodes and the bytes of subtrees. */
import * as Effect from "effect/Effect"
import * as Output from "../../Output.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import { Client } from "../frame/Client.ts"
import { printAll } from "../output/Printer.ts"
import { shown, size } from "../output/text.ts"

export interface Input {
  readonly path: string
  readonly depth: number
}

export const du = Effect.fnUntraced(function* ({ depth, path }: Input) {
  const zk = yield* (yield* Client).reader
  yield* printAll(
    Output.Total,
    TreeWalk.totals(depth)(TreeWalk.walk(zk, path)),
    ({ bytes, path, znodes }) => `${String(znodes).padStart(8)} ${size(bytes).padStart(8)}  ${shown(path)}\n`
  )
})
