/**
 * The znodes of a server in memory, and how a change alters them.
 *
 * It trusts its changes, which were checked on a `SpeculativeTree` before. It knows neither watches nor connections: it
 * reports which znodes were touched.
 *
 * @since 0.1.0
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import type { WatchEventType } from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"
import type { Change } from "./Transaction.ts"
import { QuotaTracker } from "./QuotaTracker.ts"
import type { Release } from "./Release.ts"
import * as Znode from "./Znode.ts"

/**
 * A znode was touched. Clients that may read it by `acl` may hear of it.
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
 * The paths that cannot be deleted.
 *
 * @category constants
 * @since 0.1.0
 */
export const reserved: ReadonlySet<string> = new Set(["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"])

/**
 * The znodes of a server at one moment. They must not be changed.
 *
 * @category models
 * @since 0.1.0
 */
export interface SnapshotTree {
  /** The znode at a path; undefined if there is none. */
  readonly get: (path: string) => Znode.SnapshotZnode | undefined
  /** All znodes by their paths, parents before their children. `/zookeeper` and its children are among them. */
  readonly entries: () => Iterable<readonly [string, Znode.SnapshotZnode]>
}

/**
 * The znodes of a server, which changes alter in place.
 *
 * @category models
 * @since 0.1.0
 */
export class DataTree implements SnapshotTree {
  private readonly nodes = new Map<string, Znode.Znode>()
  private readonly owned = new Map<bigint, Set<string>>()
  /** Containers and TTL znodes, which the server deletes when they are empty or expired. */
  readonly collectable: Set<string> = new Set()
  private readonly quotas: QuotaTracker

  /** The tree of a new server. */
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

  /** How many znodes there are as servers count them, which is the root twice. */
  get size(): number {
    return this.nodes.size + 1
  }

  /** How many ephemeral znodes there are. */
  get ephemeralCount(): number {
    let count = 0
    for (const paths of this.owned.values()) count += paths.size
    return count
  }

  /** The size of all paths and data, in bytes. */
  get dataSize(): number {
    let size = 0
    for (const [path, { data }] of this.nodes) size += path.length + (data?.length ?? 0)
    return size
  }

  /** The znode at a path. The empty path is the root, too, as on real servers. */
  get(path: string): Znode.Znode | undefined {
    return this.nodes.get(path === "" ? "/" : path)
  }

  /** The ephemeral znodes of a session, in the order of their creation. */
  ephemeralsOf(session: bigint): ReadonlyArray<string> {
    return [...(this.owned.get(session) ?? [])]
  }

  /** The sessions that have ephemeral znodes, with their paths. */
  get owners(): ReadonlyMap<bigint, ReadonlySet<string>> {
    return this.owned
  }

  /** How many znodes are below a path. */
  countDescendants(path: string): number {
    // A real server counts the keys that begin with the path and a slash, and the root has a second, empty key.
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

  /** The error code with which a quota refuses so many more bytes and znodes there; undefined if no quota does. */
  quotaRefusal(path: string, bytes: number, nodes: number, release: Release): number | undefined {
    return this.quotas.refusal(path, bytes, nodes, release.leastQuota)
  }

  /** Alters the tree, and returns the new Stat of the znode; undefined for a deleted one. */
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
    // After 2147483647 the counter of a real server no longer changes, nor does the pzxid.
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
    const kind = StoredZnode.kindOf(owner)
    if (kind === "container" || kind === "ttl") this.collectable.add(path)
    if (kind !== "ephemeral") return
    const paths = this.owned.get(owner)
    if (paths === undefined) this.owned.set(owner, new Set([path]))
    else paths.add(path)
  }

  /** A copy, which later changes of the original do not alter. Quotas are znodes, and so are copied with the others. */
  static copyOf(tree: SnapshotTree): DataTree {
    const copy = new DataTree()
    copy.nodes.clear()
    for (const [path, node] of tree.entries()) {
      copy.nodes.set(path, { ...node, children: new Set(node.children) })
      copy.track(path, node.owner)
    }
    copy.quotas.rebuild()
    return copy
  }
}

/**
 * The path of a znode's parent, also for a path that ends in a slash, which a create may have.
 *
 * @category getters
 * @since 0.1.0
 */
export const parentOf = (path: string): string => ZnodePath.parent(path) ?? "/"
