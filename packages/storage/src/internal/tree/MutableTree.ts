/**
 * A tree that transactions change, with the rules by which a server replays its log. A snapshot may already have effects of
 * the transactions that follow it, so that a znode to create may exist, and one to delete may be gone.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { jsonOf } from "@effect-zookeeper/protocol/Json"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { SimpleChange, Transaction } from "../../Transaction.ts"
import type { Tree } from "../../Tree.ts"
import { containerOwner, kindOf, ttlOwner, type Znode } from "../../Znode.ts"
import { ZnodeRecord } from "../records.ts"
import { digestOf } from "./treeDigest.ts"

/** A znode that changes. */
class Node extends ZnodeRecord {
  /** The names of the children; most znodes never have any. */
  children: Set<string> | undefined = undefined
  /** The part of the tree's digest. */
  digest = 0n

  override toJSON(): unknown {
    return new ZnodeRecord(this).toJSON()
  }
}

const none: ReadonlySet<string> = new Set()

export class MutableTree implements Tree {
  zxid = 0n
  readonly sessions = new Map<bigint, number>()
  /** Where the znodes are in the snapshot whose ACLs are not known, because a later transaction has set them. */
  readonly unknownAcls = new Map<string, number>()
  private readonly nodes = new Map<string, Node>()
  private readonly owned = new Map<bigint, Set<string>>()
  private sum = 0n
  private nodeBytes = 0

  get size(): number {
    return this.nodes.size
  }

  /** The memory that the tree takes, about, in bytes. */
  get bytes(): number {
    return this.nodeBytes + this.sessions.size * SESSION_BYTES
  }

  get digest(): bigint {
    return BigInt.asIntN(64, this.sum)
  }

  /** Its znodes are too many for a text. */
  toJSON(): unknown {
    return jsonOf({ zxid: this.zxid, size: this.size, digest: this.digest })
  }

  get(path: string): Znode | undefined {
    return this.nodes.get(path)
  }

  children(path: string): ReadonlySet<string> {
    return this.nodes.get(path)?.children ?? none
  }

  /** Depth first, as snapshots have them. */
  *entries(): IterableIterator<Znode> {
    const left = ["/"]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const node = this.nodes.get(path)
      if (node === undefined) continue
      yield node
      for (const child of node.children ?? none) left.push(ZnodePath.join(path, child))
    }
  }

  /**
   * Adds a znode of a snapshot. False if its parent is missing, or if it is there already. Its data stays a view of the chunk
   * that was read: nearly all of a snapshot is kept, and nearly nothing of a log.
   */
  load(znode: Znode): boolean {
    const { path } = znode
    if (this.nodes.has(path)) return false
    if (path !== "/") {
      const parent = this.nodes.get(parentOf(path))
      if (parent === undefined) return false
      childrenOf(parent).add(ZnodePath.name(path))
    }
    const node = new Node(znode)
    if (node.data?.length === 0) node.data = empty
    this.add(node)
    return true
  }

  /** Replays a transaction. */
  apply(transaction: Transaction): void {
    const { change, session, zxid } = transaction
    switch (change._tag) {
      case "CreateSession":
        this.sessions.set(session, change.timeout)
        break
      case "CloseSession": {
        this.sessions.delete(session)
        const owned = [...(this.owned.get(session) ?? [])]
        this.owned.delete(session)
        for (const path of new Set([...(change.paths ?? []), ...owned])) this.delete(path, zxid)
        break
      }
      case "Multi":
        // One error is the refusal of all of them.
        if (change.changes.every(({ _tag }) => _tag !== "Error")) {
          for (const part of change.changes) this.applySimple(part, transaction)
        }
        break
      default:
        this.applySimple(change, transaction)
    }
    this.zxid = zxid
  }

  private applySimple(change: SimpleChange, transaction: Transaction): void {
    switch (change._tag) {
      case "Create":
        this.create(change, transaction)
        return
      case "Delete":
        this.delete(change.path, transaction.zxid)
        return
      case "SetData":
        this.update(change.path, (node) => {
          node.data = copyOf(change.data)
          node.mtime = transaction.time
          node.mzxid = transaction.zxid
          node.version = change.version
        })
        return
      case "SetAcl":
        this.unknownAcls.delete(change.path)
        this.update(change.path, (node) => {
          node.acl = change.acl
          node.aversion = change.version
        })
        return
      case "Check":
      case "Error":
        return
    }
  }

  private create(change: Extract<SimpleChange, { _tag: "Create" }>, { session, time, zxid }: Transaction): void {
    const { path } = change
    const parentPath = parentOf(path)
    const parent = this.nodes.get(parentPath)
    if (parent === undefined) return
    const name = ZnodePath.name(path)
    const exists = parent.children?.has(name) === true
    if (this.unknownAcls.delete(path)) {
      this.update(path, (node) => {
        node.acl = change.acl
      })
    }
    // Servers do this only for the operation `create`.
    if (exists && change.operation !== "create") return
    const cversion = change.parentCversion === -1 ? parent.cversion + 1 : change.parentCversion
    this.update(parentPath, () => {
      if (cversion > parent.cversion) {
        parent.cversion = cversion
        parent.pzxid = zxid
      }
      childrenOf(parent).add(name)
    })
    if (exists) return
    const node = new Node({
      path,
      data: copyOf(change.data),
      acl: change.acl,
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: time,
      mtime: time,
      version: 0,
      cversion: 0,
      aversion: 0,
      owner: ownerOf(change, session)
    })
    this.add(node)
  }

  private delete(path: string, zxid: bigint): void {
    const parentPath = parentOf(path)
    const parent = this.nodes.get(parentPath)
    if (parent === undefined) return
    this.update(parentPath, () => {
      parent.children?.delete(ZnodePath.name(path))
      if (zxid > parent.pzxid) parent.pzxid = zxid
    })
    const node = this.nodes.get(path)
    if (node === undefined) return
    this.nodes.delete(path)
    this.unknownAcls.delete(path)
    this.nodeBytes -= bytesOf(node)
    this.sum -= node.digest
    this.owned.get(node.owner)?.delete(path)
  }

  private add(node: Node): void {
    this.nodes.set(node.path, node)
    this.nodeBytes += bytesOf(node)
    node.digest = digestOf(node)
    this.sum += node.digest
    if (kindOf(node.owner)._tag !== "Ephemeral") return
    const paths = this.owned.get(node.owner)
    if (paths === undefined) this.owned.set(node.owner, new Set([node.path]))
    else paths.add(node.path)
  }

  private update(path: string, change: (node: Node) => void): void {
    const node = this.nodes.get(path)
    if (node === undefined) return
    this.nodeBytes -= bytesOf(node)
    change(node)
    this.nodeBytes += bytesOf(node)
    this.sum -= node.digest
    node.digest = digestOf(node)
    this.sum += node.digest
  }

  /** The tree of a server that has begun without files. Since 3.5 it has a znode for the configuration of the ensemble. */
  static initial(hasConfig: boolean): MutableTree {
    const tree = new MutableTree()
    for (const path of ["/", "/zookeeper", "/zookeeper/quota", ...(hasConfig ? ["/zookeeper/config"] : [])]) {
      const isConfig = path === "/zookeeper/config"
      const stamps = { czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0, version: 0, cversion: 0, owner: 0n }
      const acl = isConfig ? Acl.readOnly : Acl.open
      tree.load({ path, data: new Uint8Array(0), acl, ...stamps, cversion: 0, aversion: isConfig ? -1 : 0 })
    }
    return tree
  }
}

const empty = new Uint8Array(0)

/** Of a znode without its path and data, of an entry of its ACL, and of a session. */
const ZNODE_BYTES = 320
const ACL_BYTES = 64
const SESSION_BYTES = 64

const bytesOf = ({ acl, data, path }: Node): number =>
  ZNODE_BYTES + acl.length * ACL_BYTES + path.length * 2 + (data?.length ?? 0)

/** How much memory a tree may take by default: 4 GiB. */
export const MAX_TREE_SIZE = 4_294_967_296

export interface TreeLimits {
  /**
   * How much memory the tree may take, in bytes, about. A larger one fails with `MalformedFile`: a small compressed file can have
   * contents of any size. Default: 4 GiB.
   */
  readonly maxTreeSize?: number | undefined
}

/** The problem of a tree that is too large; undefined if it is not. */
export const tooLarge = ({ bytes }: MutableTree, { maxTreeSize = MAX_TREE_SIZE }: TreeLimits) =>
  bytes <= maxTreeSize
    ? undefined
    : ({
        problem: "TooLarge",
        expected: `a tree of at most ${maxTreeSize} bytes in memory (maxTreeSize)`,
        found: "a larger one"
      } as const)

const childrenOf = (node: Node): Set<string> => (node.children ??= new Set())

const parentOf = (path: string): string => ZnodePath.parent(path) ?? "/"

/** Data of its own: that of a record is a view of the chunk that was read. */
const copyOf = (data: Uint8Array | null): Uint8Array | null => (data === null ? null : data.slice())

const ownerOf = (change: Extract<SimpleChange, { _tag: "Create" }>, session: bigint): bigint => {
  if (change.operation === "createContainer") return containerOwner
  if (change.ttl !== undefined) return ttlOwner(change.ttl)
  return change.ephemeral ? session : 0n
}
