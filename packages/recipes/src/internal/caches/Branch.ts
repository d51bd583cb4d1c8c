/**
 * A znode of a snapshot, with its children.
 *
 * A cache may hold a hundred thousand of them, so data and Stat are fields of this one object. The objects that
 * applications get are made when they are read: they would take three times the memory.
 */
import { jsonOf } from "@effect-zookeeper/client/Json"
import type { DataAndStat, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type { NamedSet } from "./NamedSet.ts"

/** The children of a znode. */
export type Children = NamedSet<Branch>

/** Where bytes are. */
interface Bytes {
  readonly buffer: ArrayBufferLike
  readonly byteOffset: number
  readonly byteLength: number
}

/** The numbers are those of the Stat. */
export class Branch implements Stat, Bytes {
  /** Empty for the root. */
  readonly name: string
  readonly children: Children
  readonly buffer: ArrayBufferLike
  readonly byteOffset: number
  readonly byteLength: number
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly pzxid: bigint
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number

  constructor(name: string, stat: Stat, data: Bytes, children: Children) {
    this.name = name
    this.children = children
    const bytes = data.byteLength === 0 ? noBytes : data
    this.buffer = bytes.buffer
    this.byteOffset = bytes.byteOffset
    this.byteLength = bytes.byteLength
    // Most znodes have only one transaction, and no owner: equal numbers are the same object.
    const { czxid, ephemeralOwner, mzxid, pzxid } = stat
    this.czxid = czxid
    this.mzxid = mzxid === czxid ? czxid : mzxid
    this.pzxid = pzxid === czxid ? czxid : pzxid === mzxid ? mzxid : pzxid
    this.ephemeralOwner = ephemeralOwner === 0n ? 0n : ephemeralOwner
    this.ctime = stat.ctime
    this.mtime = stat.mtime
    this.version = stat.version
    this.cversion = stat.cversion
    this.aversion = stat.aversion
    this.dataLength = stat.dataLength
    this.numChildren = stat.numChildren
  }

  /** Data and Stat as applications get them: a new object each time, on the same bytes. */
  get znode(): DataAndStat {
    return { data: new Uint8Array(this.buffer, this.byteOffset, this.byteLength), stat: new CachedStat(this) }
  }

  /** The same znode with other children. */
  withChildren(children: Children): Branch {
    return new Branch(this.name, this, this, children)
  }

  /** The same data with another Stat. */
  withStat(stat: Stat): Branch {
    return new Branch(this.name, stat, this, this.children)
  }
}

// ---- internal

const noBytes = new Uint8Array(0)

/** A class only for the sake of `toJSON`, which 64-bit numbers need, as that of the client's Stat. */
class CachedStat implements Stat {
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
  readonly pzxid: bigint

  constructor(branch: Branch) {
    this.czxid = branch.czxid
    this.mzxid = branch.mzxid
    this.ctime = branch.ctime
    this.mtime = branch.mtime
    this.version = branch.version
    this.cversion = branch.cversion
    this.aversion = branch.aversion
    this.ephemeralOwner = branch.ephemeralOwner
    this.dataLength = branch.dataLength
    this.numChildren = branch.numChildren
    this.pzxid = branch.pzxid
  }

  toJSON(): unknown {
    return jsonOf(this)
  }
}
