/**
 * Znodes and transactions as they are read: classes only for the sake of `toJSON`, which 64-bit numbers need, and which costs
 * nothing on the prototype.
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import { jsonOf } from "@effect-zookeeper/protocol/Json"
import type { Change, Transaction } from "../Transaction.ts"
import type { Znode } from "../Znode.ts"

/** A znode, whose changing fields a tree that takes transactions may write. */
export class ZnodeRecord implements Znode {
  readonly path: string
  data: Uint8Array | null
  acl: ReadonlyArray<Acl>
  readonly czxid: bigint
  mzxid: bigint
  pzxid: bigint
  readonly ctime: number
  mtime: number
  version: number
  cversion: number
  aversion: number
  readonly owner: bigint

  constructor(znode: Znode) {
    this.path = znode.path
    this.data = znode.data
    this.acl = znode.acl
    this.czxid = znode.czxid
    this.mzxid = znode.mzxid
    this.pzxid = znode.pzxid
    this.ctime = znode.ctime
    this.mtime = znode.mtime
    this.version = znode.version
    this.cversion = znode.cversion
    this.aversion = znode.aversion
    this.owner = znode.owner
  }

  toJSON(): unknown {
    return jsonOf(this)
  }
}

export class TransactionRecord implements Transaction {
  readonly zxid: bigint
  readonly time: number
  readonly session: bigint
  readonly cxid: number
  readonly change: Change
  readonly digest: Transaction["digest"]
  readonly offset: number
  readonly size: number

  constructor(transaction: Omit<Transaction, "offset" | "size">, offset: number, size: number) {
    this.zxid = transaction.zxid
    this.time = transaction.time
    this.session = transaction.session
    this.cxid = transaction.cxid
    this.change = transaction.change
    this.digest = transaction.digest
    this.offset = offset
    this.size = size
  }

  toJSON(): unknown {
    const { change, digest } = this
    return {
      ...jsonOf(this),
      change: change._tag === "Multi" ? { ...change, changes: change.changes.map(jsonOf) } : jsonOf(change),
      digest: digest === undefined ? undefined : jsonOf(digest)
    }
  }
}
