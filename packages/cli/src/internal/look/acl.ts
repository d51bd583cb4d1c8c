/** `zk acl`: the ACL of a znode. */
import * as Acl from "@effect-zookeeper/client/Acl"
import * as Effect from "effect/Effect"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { printOne } from "../output/Printer.ts"
import { shown } from "../output/text.ts"

export interface Input {
  readonly path: string
}

export const acl = Effect.fnUntraced(function* ({ path }: Input) {
  const zk = yield* (yield* Client).reader
  const { acl: entries, stat } = yield* zk.getAcl(path)
  const value = {
    path,
    aversion: stat.aversion,
    acl: entries.map((entry) => ({ scheme: entry.scheme, id: entry.id, perms: permsOf(entry) }))
  }
  yield* printOne(Output.Acl, value, () => entries.map((entry) => `${shown(Acl.format(entry))}\n`).join(""))
})

// ---- internal

const permsOf = (entry: Acl.Acl): string => {
  const text = Acl.format(entry)
  return text.slice(text.lastIndexOf(":") + 1)
}
