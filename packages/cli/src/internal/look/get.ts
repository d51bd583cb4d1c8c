/** `zk get`: the data of a znode. */
import * as Effect from "effect/Effect"
import * as Output from "../../Output.ts"
import * as ZnodeData from "../../ZnodeData.ts"
import { Client } from "../frame/Client.ts"
import { encodeData } from "../output/data.ts"
import { printOne, Printer } from "../output/Printer.ts"
import { escapeText } from "../output/text.ts"

export interface Input {
  readonly path: string
  /** Left out: `auto` on a terminal, and `raw` in a pipe or a file. */
  readonly as: ZnodeData.Format | undefined
  readonly gunzip: boolean
}

export const get = Effect.fnUntraced(function* ({ as, gunzip, path }: Input) {
  const zk = yield* (yield* Client).reader
  const printer = yield* Printer
  const { data: stored, stat } = yield* zk.get(path)
  const isGunzipped = gunzip && ZnodeData.isGzip(stored)
  const data = isGunzipped ? yield* ZnodeData.gunzip(stored) : stored
  if (printer.mode !== "text") {
    return yield* printOne(Output.Data, { path, gunzipped: isGunzipped, ...encodeData(data), stat }, () => "")
  }
  const format = as ?? (printer.isTerminal ? "auto" : "raw")
  const rendered = yield* ZnodeData.render(data, format)
  // Text from a znode cannot act on the terminal.
  yield* printer.write(typeof rendered === "string" && printer.isTerminal ? escapeText(rendered) : rendered)
})
