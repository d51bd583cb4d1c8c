/** The tree of a file, whatever kind of file it is, and the commands that look at it as they look at a live one. */
import { type InvalidArgument, NoNode } from "@effect-zookeeper/client/Errors"
import type { Stat } from "@effect-zookeeper/client/Models"
import type * as Op from "@effect-zookeeper/client/Op"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { BackupFile, type Tree, TreeSource, type Znode } from "@effect-zookeeper/storage"
import { statOf } from "@effect-zookeeper/storage/Znode"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Client, type Reader } from "../frame/Client.ts"
import { FileError, UsageError } from "../frame/errors.ts"
import { size as sizeText } from "../output/text.ts"
import { parseMoment } from "./moment.ts"
import { readAt, readOptions, withReading } from "./reading.ts"

/** A tree that was read from files. */
export interface FileTree extends Pick<Tree, "get" | "children" | "entries"> {
  readonly source: TreeSource.TreeSource<NoNode | InvalidArgument>
  /** The transactions while it was read, as a backup has them. */
  readonly moment: Pick<BackupFile.WriteOptions, "zxid" | "to" | "isConsistent">
}

interface Part {
  /** The folder of the logs of a data directory. */
  readonly logs?: string | undefined
  /** The first znode of `source`. */
  readonly path?: string | undefined
}

/**
 * A folder is a data directory, a name that begins with `snapshot.` a snapshot, and any other file a backup. Data directories
 * have a tree for each moment.
 */
export const openTree = Effect.fnUntraced(function* (file: string, at: string | undefined, { logs, path }: Part = {}) {
  const fs = yield* FileSystem.FileSystem
  const isFolder = yield* fs.stat(file).pipe(
    Effect.map(({ type }) => type === "Directory"),
    Effect.orElseSucceed(() => false)
  )
  if (isFolder) {
    const moment = yield* parseMoment(at)
    const { tree } = yield* readAt({ directory: file, logs }, moment)
    return fileTree(tree, TreeSource.fromTree(tree, { name: file, path }))
  }
  if (at !== undefined) {
    return yield* new UsageError({ message: `--at is for a data directory, and ${file} has the tree of one moment` })
  }
  const name = file.slice(file.lastIndexOf("/") + 1)
  if (logs !== undefined) {
    return yield* new UsageError({ message: `--logs is for a data directory, and ${file} is none` })
  }
  if (name.startsWith("snapshot.")) {
    const zxid = BigInt(`0x${/^snapshot\.([0-9a-f]{1,16})(?:\.|$)/.exec(name)?.[1] ?? "0"}`)
    const source = yield* withReading([file], TreeSource.snapshot(file, { ...(yield* readOptions), path }))
    return yield* collected(source, { zxid, isConsistent: false })
  }
  // It is read twice: to compare its checksum, and for the tree.
  return yield* withReading(
    [file, file],
    Effect.gen(function* () {
      const source = yield* TreeSource.backup(file, { ...(yield* readOptions), path })
      const { from, isConsistent, to } = yield* BackupFile.readHeader(file)
      return yield* collected(source, { zxid: BigInt(from), to: BigInt(to), isConsistent })
    })
  )
})

/** Runs a command that looks at a live tree on the tree of a file. */
export const onTree = <E, R>(tree: FileTree, command: Effect.Effect<void, E, R>) =>
  Effect.flatMap(Client, (client) =>
    Effect.provideService(command, Client, { ...client, reader: Effect.succeed(readerOf(tree)) })
  )

/** As much as a tree from the files of a server: 4 GiB. */
const MAX_TREE_SIZE = 4_294_967_296

/** The whole tree in memory. A small compressed file can have contents of any size: `maxSize` bounds them. */
export const collected = <E, R>(
  source: TreeSource.TreeSource<E, R>,
  moment: FileTree["moment"],
  maxSize = MAX_TREE_SIZE
) =>
  Effect.gen(function* () {
    const entries = new Map<string, TreeSource.Entry>()
    const children = new Map<string, Set<string>>()
    let size = 0
    yield* Stream.runForEach(source.entries, (entry) => {
      const { path } = entry.znode
      size += sizeOf(entry)
      if (size > maxSize) {
        const message = `${source.name} has a tree of more than ${sizeText(maxSize)} in memory; zk diff and zk restore read it without`
        return new FileError({ message })
      }
      entries.set(path, entry)
      const parent = path === source.root ? undefined : ZnodePath.parent(path)
      if (parent !== undefined) {
        const names = children.get(parent) ?? new Set<string>()
        children.set(parent, names.add(ZnodePath.name(path)))
      }
      return Effect.void
    })
    const tree: FileTree = {
      get: (path) => entries.get(path)?.znode,
      children: (path) => children.get(path) ?? new Set(),
      *entries() {
        for (const { znode } of entries.values()) yield znode
      },
      source: {
        ...source,
        // A backup reads them twice.
        entries: Stream.suspend(() => Stream.fromIterable(entries.values())),
        size: Effect.succeed(entries.size)
      },
      moment
    }
    return tree
  })

// ---- internal

/** About, in bytes. */
const sizeOf = ({ znode: { acl, data, path } }: TreeSource.Entry): number =>
  480 + acl.length * 64 + path.length * 2 + (data?.length ?? 0)

const fileTree = (tree: Tree, source: TreeSource.TreeSource<NoNode | InvalidArgument>): FileTree => ({
  get: (path) => tree.get(path),
  children: (path) => tree.children(path),
  entries: () => tree.entries(),
  source,
  moment: { zxid: tree.zxid }
})

/** The methods that `ls`, `tree`, `get`, `stat` and `find` use, and those of a walk. */
const readerOf = (tree: FileTree): Reader => {
  const read = <A>(path: string, operation: string, f: (znode: Znode.Znode, stat: Stat) => A) =>
    Effect.suspend((): Effect.Effect<A, NoNode> => {
      const znode = tree.get(path)
      if (znode === undefined) return new NoNode({ path, operation })
      return Effect.succeed(f(znode, statOf(znode, tree.children(path).size)))
    })
  const get = (path: string) => read(path, "getData", ({ data }, stat) => ({ data: data ?? new Uint8Array(0), stat }))
  const getChildren = (path: string) => read(path, "getChildren", () => [...tree.children(path)])
  const reader = {
    get,
    getChildren,
    getData: (path: string) => read(path, "getData", ({ data }) => data ?? new Uint8Array(0)),
    getAcl: (path: string) => read(path, "getACL", ({ acl }, stat) => ({ acl, stat })),
    getChildrenWithStat: (path: string) =>
      read(path, "getChildren2", (_, stat) => ({ children: [...tree.children(path)], stat })),
    stat: (path: string) => Effect.option(read(path, "exists", (_, stat) => stat)),
    read: (ops: ReadonlyArray<Op.Read>) =>
      Effect.forEach(ops, (op): Effect.Effect<Op.ReadResult<Op.Read>> =>
        op._tag === "Get" ? Effect.result(get(op.path)) : Effect.result(getChildren(op.path))
      ),
    exists: (path: string) => Effect.sync(() => Option.isSome(Option.fromUndefinedOr(tree.get(path)))),
    countDescendants: (path: string) =>
      Effect.sync(() => {
        let count = -1
        for (const znode of tree.entries()) if (ZnodePath.isUnder(path, znode.path)) count++
        return count
      })
  } satisfies Partial<Record<keyof Reader, unknown>>
  // The commands that are run on a file use no others.
  return reader as unknown as Reader
}
