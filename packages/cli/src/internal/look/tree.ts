/** `zk tree`: a subtree, drawn. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import { Client } from "../frame/Client.ts"
import { toItem } from "./item.ts"
import { printAll, Printer, type Style } from "../output/Printer.ts"
import { colored, count, size } from "../output/text.ts"

export interface Input {
  readonly path: string
  readonly depth: number | undefined
  readonly sizes: boolean
}

export const tree = Effect.fnUntraced(function* ({ depth, path, sizes }: Input) {
  const zk = yield* (yield* Client).reader
  const printer = yield* Printer
  const total = { znodes: 0, bytes: 0, ephemerals: 0, forbidden: 0 }
  const znodes = TreeWalk.walk(zk, path, { maxDepth: depth }).pipe(
    Stream.map((znode) => {
      total.znodes++
      total.bytes += znode.stat.dataLength
      if (znode.isForbidden) total.forbidden++
      const item = toItem(znode)
      if (item.kind === "ephemeral") total.ephemerals++
      return item
    })
  )
  /** Whether a line goes on below, for each level above the znode. */
  const open: Array<boolean> = []
  yield* printAll(Output.Znode, znodes, (znode, style) => {
    open.length = Math.max(znode.depth - 1, 0)
    const indent = open.map((isOpen) => (isOpen ? "│   " : "    ")).join("")
    const branch = znode.depth === 0 ? "" : znode.isLast ? "└── " : "├── "
    if (znode.depth > 0) open.push(!znode.isLast)
    const name = znode.depth === 0 ? znode.path : ZnodePath.name(znode.path)
    return `${style.dim(indent + branch)}${colored(name, znode.stat, style)}${remarks(znode, znode.depth === depth, sizes, style)}\n`
  })
  if (printer.mode !== "text") return
  const { bytes, ephemerals, forbidden, znodes: found } = total
  const parts = [
    count(found, "znode"),
    `${size(bytes)} of data`,
    ...(ephemerals > 0 ? [`${ephemerals} ephemeral`] : []),
    ...(forbidden > 0 ? [`${forbidden} forbidden to read`] : [])
  ]
  yield* printer.write(`\n${parts.join(", ")}\n`)
})

// ---- internal

const remarks = (
  { forbidden, stat }: Pick<typeof Output.Znode.Type, "forbidden" | "stat">,
  isCut: boolean,
  sizes: boolean,
  style: Style
): string => {
  const parts = [
    ...(sizes ? [size(stat.dataLength)] : []),
    ...(isCut && stat.numChildren > 0 ? [count(stat.numChildren, "child", "children")] : []),
    ...(stat.ephemeralOwner !== 0n ? [Output.kindOf(stat.ephemeralOwner)] : []),
    ...(forbidden ? ["forbidden"] : [])
  ]
  return parts.length === 0 ? "" : style.dim(`  (${parts.join(", ")})`)
}
