/**
 * An immutable tree of znodes. A change gives a new tree that shares all unchanged parts with the old one: a snapshot
 * costs nothing, and comparing two takes as long as their difference is large.
 *
 * Measured for 100,000 children of one znode: a Map would have to be copied in 28 milliseconds for each snapshot.
 */
import type { DataAndStat, Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { CacheChange } from "../../CacheEvent.ts"
import { Branch } from "./Branch.ts"
import { NamedSet } from "./NamedSet.ts"

export interface TreeSnapshot {
  readonly root: Branch | undefined
  /** The number of znodes. */
  readonly size: number
}

/** The names that lead from the root of the snapshot to a znode; none for the root itself. */
export type Names = ReadonlyArray<string>

export const empty: TreeSnapshot = { root: undefined, size: 0 }

/** The names of a path at or below `root`; undefined elsewhere. */
export const relativeNames = (root: string, path: string): Names | undefined => {
  if (path === root) return []
  const start = root === "/" ? 1 : root.length + 1
  return path.startsWith(ZnodePath.join(root, "")) && path.length > start ? path.slice(start).split("/") : undefined
}

export const find = (tree: TreeSnapshot, names: Names): Branch | undefined => {
  let branch = tree.root
  for (let index = 0; branch !== undefined && index < names.length; index++) {
    branch = branch.children.get(names[index]!)
  }
  return branch
}

/** The children of a znode by their names. */
export const childrenOf = (branch: Branch | undefined): ReadonlyMap<string, DataAndStat> => {
  const children = new Map<string, DataAndStat>()
  if (branch !== undefined) for (const { name, znode } of branch.children) children.set(name, znode)
  return children
}

/** Puts a znode into its place, above its present children; its parent has to be there. */
export const put = (tree: TreeSnapshot, names: Names, znode: DataAndStat): TreeSnapshot => {
  const isNew = find(tree, names) === undefined
  const put = (branch: Branch | undefined) =>
    new Branch(names.at(-1) ?? "", znode.stat, znode.data, branch?.children ?? NamedSet.empty)
  return { root: replaceAt(tree.root, names, 0, put), size: tree.size + (isNew ? 1 : 0) }
}

/** Gives a znode that is there another Stat. */
export const putStat = (tree: TreeSnapshot, names: Names, stat: Stat): TreeSnapshot => ({
  root: replaceAt(tree.root, names, 0, (branch) => branch!.withStat(stat)),
  size: tree.size
})

/** Removes a znode and everything below it. */
export const remove = (tree: TreeSnapshot, names: Names): TreeSnapshot => {
  const branch = find(tree, names)
  if (branch === undefined) return tree
  const size = tree.size - count(branch)
  return { root: names.length === 0 ? undefined : removeAt(tree.root!, names, 0), size }
}

/** All paths and znodes, parents first. */
export function* entries(
  path: string,
  branch: Branch | undefined
): IterableIterator<[path: string, znode: DataAndStat]> {
  if (branch === undefined) return
  yield [path, branch.znode]
  for (const below of branch.children) yield* entries(ZnodePath.join(path, below.name), below)
}

/** Changes that lead from one snapshot to the other, in a possible order. */
export function* changes(
  path: string,
  before: Branch | undefined,
  after: Branch | undefined
): IterableIterator<CacheChange> {
  if (before === after) return
  if (before === undefined || after === undefined || before.czxid !== after.czxid) {
    yield* deletions(path, before)
    for (const [created, znode] of entries(path, after)) yield { _tag: "Created", path: created, znode }
    return
  }
  if (before.mzxid !== after.mzxid) {
    yield { _tag: "Updated", path, old: before.znode, znode: after.znode }
  }
  if (before.children === after.children) return
  for (const below of before.children) {
    if (!after.children.has(below.name)) yield* deletions(ZnodePath.join(path, below.name), below)
  }
  for (const below of after.children) {
    yield* changes(ZnodePath.join(path, below.name), before.children.get(below.name), below)
  }
}

/** The deletions of a znode and everything below it, children first. */
export function* deletions(path: string, branch: Branch | undefined): IterableIterator<CacheChange> {
  if (branch === undefined) return
  for (const below of branch.children) yield* deletions(ZnodePath.join(path, below.name), below)
  yield { _tag: "Deleted", path, old: branch.znode }
}

// ---- internal

const replaceAt = (
  branch: Branch | undefined,
  names: Names,
  depth: number,
  replace: (branch: Branch | undefined) => Branch
): Branch => {
  if (depth === names.length) return replace(branch)
  const { children } = branch!
  return branch!.withChildren(children.with(replaceAt(children.get(names[depth]!), names, depth + 1, replace)))
}

const removeAt = (branch: Branch, names: Names, depth: number): Branch => {
  const name = names[depth]!
  const { children } = branch
  return branch.withChildren(
    depth === names.length - 1 ? children.without(name) : children.with(removeAt(children.get(name)!, names, depth + 1))
  )
}

const count = (branch: Branch): number => {
  let all = 1
  for (const below of branch.children) all += count(below)
  return all
}
