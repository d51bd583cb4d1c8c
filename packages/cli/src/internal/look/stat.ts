/** `zk stat`: the stat of a znode. */
import { NoNode } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { printOne, type Style } from "../output/Printer.ts"
import { fields, shown } from "../output/text.ts"

export interface Input {
  readonly path: string
}

export const stat = Effect.fnUntraced(function* ({ path }: Input) {
  const zk = yield* (yield* Client).reader
  const found = yield* zk.stat(path)
  if (Option.isNone(found)) return yield* new NoNode({ path, operation: "exists" })
  const value = { path, kind: Output.kindOf(found.value.ephemeralOwner), stat: found.value }
  yield* printOne(Output.PathAndStat, value, (_, style) => statText(path, found.value, style))
})

// ---- internal

const statText = (path: string, stat: Stat, style: Style): string =>
  fields(
    [
      ["path", shown(path)],
      ["kind", Output.kindOf(stat.ephemeralOwner)],
      ["created", `${Output.formatTime(stat.ctime)}  (czxid ${Output.formatHex(stat.czxid)})`],
      ["last written", `${Output.formatTime(stat.mtime)}  (mzxid ${Output.formatHex(stat.mzxid)})`],
      ["version", String(stat.version)],
      ["children", `${stat.numChildren}  (pzxid ${Output.formatHex(stat.pzxid)}, cversion ${stat.cversion})`],
      ["ACL version", String(stat.aversion)],
      ["owner", stat.ephemeralOwner === 0n ? "none" : Output.formatHex(stat.ephemeralOwner)],
      ["data", `${stat.dataLength} bytes`]
    ],
    style
  )
