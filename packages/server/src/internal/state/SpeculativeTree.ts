/**
 * The tree as it would be after changes that are not made yet. The operations of a transaction are checked on it, and when
 * one fails it is dropped.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import type { DataTree } from "./DataTree.ts"

/**
 * The parts of a znode that checks need.
 *
 * @category models
 * @since 0.1.0
 */
interface ZnodeView {
  readonly acl: ReadonlyArray<Acl>
  readonly owner: bigint
  readonly version: number
  readonly aversion: number
  readonly cversion: number
  readonly childCount: number
  readonly dataLength: number
}

/**
 * A tree with speculative changes on top.
 *
 * @category models
 * @since 0.1.0
 */
export class SpeculativeTree {
  readonly tree: DataTree
  // By the paths of requests: the empty path is the root, but has a key of its own, as in a real server.
  private readonly changed = new Map<string, ZnodeView | undefined>()

  constructor(tree: DataTree) {
    this.tree = tree
  }

  get(path: string): ZnodeView | undefined {
    if (this.changed.has(path)) return this.changed.get(path)
    const node = this.tree.get(path)
    return (
      node && {
        acl: node.acl,
        owner: node.owner,
        version: node.version,
        aversion: node.aversion,
        cversion: node.cversion,
        childCount: node.children.size,
        dataLength: node.data?.length ?? 0
      }
    )
  }

  set(path: string, node: ZnodeView): void {
    this.changed.set(path, node)
  }

  delete(path: string): void {
    this.changed.set(path, undefined)
  }
}
