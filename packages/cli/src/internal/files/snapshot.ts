/** `zk snapshot`: the trees of snapshots, data directories and backups, looked at as live ones are. */
import { BackupFile } from "@effect-zookeeper/storage"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as StorageOutput from "../../StorageOutput.ts"
import { printBackup } from "../backup/backup.ts"
import { counting, printDifferences } from "../backup/diff.ts"
import * as Find from "../look/find.ts"
import * as Get from "../look/get.ts"
import * as Ls from "../look/ls.ts"
import * as Stat from "../look/stat.ts"
import * as Tree from "../look/tree.ts"
import { printAll, Printer } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { count, shown, size } from "../output/text.ts"
import { type FileTree, onTree, openTree } from "./openTree.ts"

/** The file, and the moment and the folder of the logs of a data directory. */
interface Of {
  readonly file: string
  readonly at: string | undefined
  readonly logs: string | undefined
}

const on =
  <Input, E, R>(command: (input: Input) => Effect.Effect<void, E, R>) =>
  (input: Input & Of) =>
    Effect.flatMap(openTree(input.file, input.at, { logs: input.logs }), (tree) => onTree(tree, command(input)))

/** Without a path, at the first znode: that of a backup need not be the root of the servers. */
type Rooted<Input> = Omit<Input, "path"> & Of & { readonly path: string | undefined }

const openAt = ({ at, file, logs, path }: Rooted<object>) =>
  Effect.map(openTree(file, at, { logs }), (tree) => ({ tree, path: path ?? tree.source.root }))

export const ls = Effect.fnUntraced(function* (input: Rooted<Ls.Input>) {
  const { path, tree } = yield* openAt(input)
  yield* onTree(tree, Ls.ls({ ...input, path }))
})

export const tree = Effect.fnUntraced(function* (input: Rooted<Tree.Input>) {
  const { path, tree } = yield* openAt(input)
  yield* onTree(tree, Tree.tree({ ...input, path }))
})

export const find = Effect.fnUntraced(function* (input: Rooted<Find.Input>) {
  const { path, tree } = yield* openAt(input)
  yield* onTree(tree, Find.find({ ...input, path }))
})

export const get = on(Get.get)
export const stat = on(Stat.stat)

export interface TopInput extends Of {
  readonly by: "bytes" | "children" | "subtree"
  readonly count: number
}

export const top = Effect.fnUntraced(function* ({ at, by, count: most, file, logs }: TopInput) {
  const items = totalsOf(yield* openTree(file, at, { logs })).toSorted((a, b) => orders[by](b) - orders[by](a))
  yield* printAll(
    StorageOutput.Top,
    Stream.fromIterable(items.slice(0, most)),
    ({ bytes, children, path, subtreeBytes, subtreeZnodes }) =>
      `${size(bytes).padStart(8)}  ${count(children, "child", "children").padStart(14)}  ${count(subtreeZnodes, "znode").padStart(14)} ${size(subtreeBytes).padStart(8)}  ${shown(path)}\n`
  )
})

export interface DiffInput {
  readonly left: string
  readonly right: string
  readonly counters: boolean
  readonly ephemerals: boolean
}

export const diff = Effect.fnUntraced(function* ({ left, right, ...options }: DiffInput) {
  const before = yield* openTree(left, undefined)
  const after = yield* openTree(right, undefined)
  yield* printDifferences(before.source, after.source, options)
})

export interface ExportInput extends Of {
  readonly output: string
  readonly path: string | undefined
  readonly force: boolean
}

export const exportTree = Effect.fnUntraced(function* ({ at, file, force, logs, output, path }: ExportInput) {
  const { moment, source } = yield* openTree(file, at, { logs, path })
  let read = 0
  const onEntry = () => {
    read++
  }
  const writing = BackupFile.write(output, counting(source, onEntry), { ...moment, overwrite: force })
  const total = Effect.filterOrFail(source.size, (size) => size !== undefined)
  // It is read twice.
  const done = Effect.sync(() => Math.floor(read / 2))
  const header = yield* withCount({ phase: "writing", done, total }, writing)
  if (!header.isConsistent) {
    yield* (yield* Printer).note("the tree was written to while it was read: the znodes may not be all of one moment")
  }
  yield* printBackup({ file: output, ...header })
})

// ---- internal

type Total = typeof StorageOutput.Top.Type

const orders = {
  bytes: ({ bytes }: Total) => bytes,
  children: ({ children }: Total) => children,
  subtree: ({ subtreeBytes }: Total) => subtreeBytes
} as const

const totalsOf = (tree: FileTree): ReadonlyArray<Total> => {
  const totals = new Map<string, { -readonly [K in keyof Total]: Total[K] }>()
  const znodes = [...tree.entries()]
  for (const { data, path } of znodes) {
    const bytes = data?.length ?? 0
    const children = tree.children(path).size
    totals.set(path, { path, bytes, children, subtreeZnodes: 1, subtreeBytes: bytes })
  }
  // Children come after their parents.
  for (const { path } of znodes.toReversed()) {
    const parent = ZnodePath.parent(path)
    const own = totals.get(path)
    const above = parent === undefined ? undefined : totals.get(parent)
    if (own === undefined || above === undefined) continue
    above.subtreeZnodes += own.subtreeZnodes
    above.subtreeBytes += own.subtreeBytes
  }
  return [...totals.values()]
}
