/** `zk ls`: the children of a znode, or all znodes of a subtree. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { printAll, type Style } from "../output/Printer.ts"
import { colored, longLine, longTitles, shown } from "../output/text.ts"
import { withKind } from "./item.ts"
import { walking } from "./walking.ts"

export interface Input {
  readonly path: string
  readonly long: boolean
  readonly recursive: boolean
}

export const ls = Effect.fnUntraced(function* ({ long, path, recursive }: Input) {
  if (!long && !recursive) {
    const zk = yield* (yield* Client).reader
    const children = yield* zk.getChildren(path)
    const entries = children.toSorted().map((name) => ({ path: ZnodePath.join(path, name) }))
    return yield* printAll(
      Output.Entry,
      Stream.fromIterable(entries),
      (entry) => `${shown(ZnodePath.name(entry.path))}\n`
    )
  }
  yield* walking(path, recursive ? {} : { maxDepth: 1 }, (znodes) => {
    const entries = znodes.pipe(
      Stream.filter(({ depth }) => recursive || depth > 0),
      Stream.map(({ path, stat }) => Object.assign({ path }, withKind(stat)))
    )
    const titles = long ? longTitles(recursive ? "PATH" : "NAME") : ""
    const line = (entry: typeof Output.Entry.Type, style: Style) => {
      const name = recursive ? entry.path : ZnodePath.name(entry.path)
      return long ? longLine(name, entry.stat, style) : `${colored(name, entry.stat, style)}\n`
    }
    return printAll(Output.Entry, entries, line, { titles })
  })
})
