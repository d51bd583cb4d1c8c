/**
 * The znodes of a server, in memory, and how a change alters them.
 *
 * It trusts the changes that it is given: whether somebody may make one is judged before, on a `SpeculativeTree`. It knows neither
 * watches nor connections; it says which znodes were touched and leaves it to others who hears of that.
 *
 * @since 0.1.0
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import type { WatchEventType } from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { Change } from "./Transaction.ts"
import { QuotaTracker } from "./QuotaTracker.ts"
import * as Znode from "./Znode.ts"

/**
 * A znode was touched: who may read by `acl` may hear of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Touch {
  readonly type: WatchEventType
  readonly path: string
  readonly acl: ReadonlyArray<Acl.Acl>
}

/**
 * The paths that nobody can delete.
 *
 * @category constants
 * @since 0.1.0
 */
export const reserved: ReadonlySet<string> = new Set(["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"])

/**
 * @category models
 * @since 0.1.0
 */
export class DataTree {
  private readonly nodes = new Map<string, Znode.Znode>()
  private readonly owned = new Map<bigint, Set<string>>()
  /** Containers and TTL znodes, which are collected some time after they are of no use. */
  readonly collectable: Set<string> = new Set()
  private readonly quotas: QuotaTracker

  /** A tree as a fresh server has it. */
  constructor() {
    const acl = Acl.open
    const empty = new Uint8Array(0)
    for (const path of reserved) {
      this.nodes.set(path, Znode.make({ data: empty, acl, zxid: 0n, time: 0 }))
      if (path !== "/") this.nodes.get(parentOf(path))!.children.add(ZnodePath.name(path))
    }
    const config = this.nodes.get("/zookeeper/config")!
    config.acl = Acl.readOnly
    config.aversion = -1
    this.quotas = new QuotaTracker(this)
  }

  /** How many znodes there are as servers count them: the root twice. */
  get size(): number {
    return this.nodes.size + 1
  }

  /** How many ephemeral znodes there are. */
  get ephemeralCount(): number {
    let count = 0
    for (const paths of this.owned.values()) count += paths.size
    return count
  }

  /** Bytes of all paths and data. */
  get dataSize(): number {
    let size = 0
    for (const [path, { data }] of this.nodes) size += path.length + (data?.length ?? 0)
    return size
  }

  /** The empty path is the root too, as servers have it. */
  get(path: string): Znode.Znode | undefined {
    return this.nodes.get(path === "" ? "/" : path)
  }

  /** The ephemeral znodes of a session, in the order of their creation. */
  ephemeralsOf(session: bigint): ReadonlyArray<string> {
    return [...(this.owned.get(session) ?? [])]
  }

  /** Sessions that have ephemeral znodes, and how many. */
  get owners(): ReadonlyMap<bigint, ReadonlySet<string>> {
    return this.owned
  }

  /** How many znodes are below a path. */
  countDescendants(path: string): number {
    // A real server counts the keys that begin with the path and a slash, and the root has an empty key beside its own.
    if (path === "") return this.nodes.size
    if (path === "/") return this.nodes.size - 1
    let count = 0
    const below = [path]
    for (let at = below.pop(); at !== undefined; at = below.pop()) {
      const node = this.nodes.get(at)
      if (node === undefined) continue
      count += node.children.size
      for (const child of node.children) below.push(ZnodePath.join(at, child))
    }
    return count
  }

  /** All znodes, parents before their children. */
  entries(): IterableIterator<[string, Znode.Znode]> {
    return this.nodes.entries()
  }

  /** The code of the error with which a quota refuses so many more bytes and znodes there; undefined if none does. */
  quotaRefusal(path: string, bytes: number, nodes: number): number | undefined {
    return this.quotas.refusal(path, bytes, nodes)
  }

  /** Alters the tree. The Stat is that of the znode as it is now; a deleted one has none. */
  apply(change: Change, zxid: bigint, time: number, onTouch: (touch: Touch) => void): Stat | undefined {
    switch (change._tag) {
      case "Create":
        return this.create(change, zxid, time, onTouch)
      case "Delete":
        this.delete(change.path, zxid, onTouch)
        return undefined
      case "SetData": {
        const node = this.nodes.get(change.path)!
        const before = node.data?.length ?? 0
        node.data = change.data
        node.version = change.version
        node.mzxid = zxid
        node.mtime = time
        this.quotas.onData(change.path, (change.data?.length ?? 0) - before)
        onTouch({ type: "NodeDataChanged", path: change.path, acl: node.acl })
        return Znode.statOf(node)
      }
      case "SetAcl": {
        const node = this.nodes.get(change.path)!
        node.acl = change.acl
        node.aversion = change.aversion
        return Znode.statOf(node)
      }
      case "Check":
        return Znode.statOf(this.nodes.get(change.path)!)
    }
  }

  private create(
    change: Extract<Change, { _tag: "Create" }>,
    zxid: bigint,
    time: number,
    onTouch: (touch: Touch) => void
  ): Stat {
    const { acl, data, owner, path } = change
    const parentPath = parentOf(path)
    const parent = this.nodes.get(parentPath)!
    // After 2147483647 the count of a real server stands still, and so does the zxid beside it.
    if (change.parentCversion > parent.cversion) {
      parent.cversion = change.parentCversion
      parent.pzxid = zxid
    }
    const node = Znode.make({ data, acl, owner, zxid, time })
    parent.children.add(ZnodePath.name(path))
    this.nodes.set(path, node)
    this.track(path, owner)
    const stat = Znode.statOf(node)
    this.quotas.onCreate(path, data?.length ?? 0)
    onTouch({ type: "NodeCreated", path, acl })
    onTouch({ type: "NodeChildrenChanged", path: parentPath, acl: parent.acl })
    return stat
  }

  private delete(path: string, zxid: bigint, onTouch: (touch: Touch) => void): void {
    const parentPath = parentOf(path)
    const parent = this.nodes.get(parentPath)!
    const node = this.nodes.get(path)!
    parent.children.delete(ZnodePath.name(path))
    if (zxid > parent.pzxid) parent.pzxid = zxid
    this.nodes.delete(path)
    this.collectable.delete(path)
    const siblings = this.owned.get(node.owner)
    siblings?.delete(path)
    if (siblings?.size === 0) this.owned.delete(node.owner)
    this.quotas.onDelete(path, node.data?.length ?? 0)
    onTouch({ type: "NodeDeleted", path, acl: node.acl })
    onTouch({ type: "NodeChildrenChanged", path: parentPath, acl: parent.acl })
  }

  private track(path: string, owner: bigint): void {
    const kind = Znode.kindOf(owner)
    if (kind === "container" || kind === "ttl") this.collectable.add(path)
    if (kind !== "ephemeral") return
    const paths = this.owned.get(owner)
    if (paths === undefined) this.owned.set(owner, new Set([path]))
    else paths.add(path)
  }

  /** Everything but quotas, which are in the tree themselves, as a tree of its own. */
  clone(): DataTree {
    const copy = new DataTree()
    copy.nodes.clear()
    for (const [path, node] of this.nodes) {
      copy.nodes.set(path, { ...node, children: new Set(node.children) })
      copy.track(path, node.owner)
    }
    copy.quotas.rebuild()
    return copy
  }
}

/**
 * The path of a znode's parent; paths that the server has taken for a create may end in a slash.
 *
 * @category getters
 * @since 0.1.0
 */
export const parentOf = (path: string): string => ZnodePath.parent(path) ?? "/"
