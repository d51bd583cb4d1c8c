/** `zk tree`: a subtree, drawn. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import { toItem } from "./item.ts"
import { walking } from "./walking.ts"
import { printAll, Printer, type Style } from "../output/Printer.ts"
import { colored, count, ofData, size } from "../output/text.ts"

export interface Input {
  readonly path: string
  readonly depth: number | undefined
  readonly sizes: boolean
}

export const tree = Effect.fnUntraced(function* ({ depth, path, sizes }: Input) {
  const printer = yield* Printer
  yield* walking(path, { maxDepth: depth }, (znodes) =>
    Effect.gen(function* () {
      const total = { znodes: 0, bytes: 0, ephemerals: 0, forbidden: 0 }
      const items = Stream.map(znodes, (znode) => {
        total.znodes++
        total.bytes += znode.stat?.dataLength ?? 0
        if (znode.isForbidden) total.forbidden++
        const item = toItem(znode)
        if (item.kind === "ephemeral") total.ephemerals++
        return item
      })
      /** Whether a line goes on below, for each level above the znode. */
      const open: Array<boolean> = []
      yield* printAll(Output.Znode, items, (znode, style) => {
        open.length = Math.max(znode.depth - 1, 0)
        const indent = open.map((isOpen) => (isOpen ? "│   " : "    ")).join("")
        const branch = znode.depth === 0 ? "" : znode.isLast ? "└── " : "├── "
        if (znode.depth > 0) open.push(!znode.isLast)
        const name = znode.depth === 0 ? znode.path : ZnodePath.name(znode.path)
        const suffix = remarks(znode, znode.depth === depth, sizes, style)
        return `${style.dim(indent + branch)}${colored(name, znode.stat, style)}${suffix}\n`
      })
      if (printer.mode === "text") yield* printer.write(`\n${summary(total)}\n`)
    })
  )
})

// ---- internal

const summary = (total: {
  readonly znodes: number
  readonly bytes: number
  readonly ephemerals: number
  readonly forbidden: number
}): string =>
  [
    count(total.znodes, "znode"),
    ofData(total.bytes),
    ...(total.ephemerals > 0 ? [`${total.ephemerals} ephemeral`] : []),
    ...(total.forbidden > 0 ? [`${total.forbidden} forbidden to read`] : [])
  ].join(", ")

const remarks = (
  { forbidden, stat }: Pick<typeof Output.Znode.Type, "forbidden" | "stat">,
  isCut: boolean,
  sizes: boolean,
  style: Style
): string => {
  const parts = [...(stat === undefined ? [] : remarksOfStat(stat, isCut, sizes)), ...(forbidden ? ["forbidden"] : [])]
  return parts.length === 0 ? "" : style.dim(`  (${parts.join(", ")})`)
}

const remarksOfStat = (stat: typeof Output.Stat.Type, isCut: boolean, sizes: boolean): ReadonlyArray<string> => [
  ...(sizes ? [size(stat.dataLength)] : []),
  ...(isCut && stat.numChildren > 0 ? [count(stat.numChildren, "child", "children")] : []),
  ...(stat.ephemeralOwner !== 0n ? [Output.kindOf(stat.ephemeralOwner)] : [])
]
