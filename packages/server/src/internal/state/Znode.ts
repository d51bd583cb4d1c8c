/**
 * A znode as a server keeps it, and its Stat for clients.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import type { Stat } from "@effect-zookeeper/protocol/Records"

/**
 * A znode in a snapshot, as the server keeps it. The fields of the Stat have the names that they have there.
 *
 * @category models
 * @since 0.1.0
 */
export interface SnapshotZnode {
  /** Null if the znode was created without data. */
  readonly data: Uint8Array | null
  readonly acl: ReadonlyArray<Acl>
  /** Names. */
  readonly children: ReadonlySet<string>
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly pzxid: bigint
  /** Milliseconds since 1970. */
  readonly ctime: number
  /** Milliseconds since 1970. */
  readonly mtime: number
  readonly version: number
  /** How many children were ever created here, which is the number of the next sequential child. A Stat has another number. */
  readonly cversion: number
  readonly aversion: number
  /** The session of an ephemeral znode, 0 for a persistent one, and other numbers for containers and TTL znodes. */
  readonly owner: bigint
}

/**
 * A znode that a change alters in place. `statOf` gives the `cversion` that clients see, and `kindOf` tells the kinds of
 * owners apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface Znode extends SnapshotZnode {
  data: Uint8Array | null
  acl: ReadonlyArray<Acl>
  readonly children: Set<string>
  mzxid: bigint
  pzxid: bigint
  mtime: number
  version: number
  cversion: number
  aversion: number
}

/**
 * The kinds of znodes that the owner tells apart.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "persistent" | "ephemeral" | "container" | "ttl"

/**
 * The owner of every container.
 *
 * @category constants
 * @since 0.1.0
 */
export const CONTAINER: bigint = -0x8000000000000000n

/**
 * The owner of a TTL znode, which is deleted after so many milliseconds without children or new data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ttlOwner = (ttl: bigint): bigint => BigInt.asIntN(64, TTL_MARK | ttl)

/**
 * The kind of a znode by its owner.
 *
 * @category getters
 * @since 0.1.0
 */
export const kindOf = (owner: bigint): Kind => {
  if (owner === 0n) return "persistent"
  if (owner === CONTAINER) return "container"
  return BigInt.asUintN(64, owner) >> 56n === 0xffn ? "ttl" : "ephemeral"
}

/**
 * The time to live in the owner of a TTL znode, in milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const ttlOf = (owner: bigint): number => Number(BigInt.asUintN(40, owner))

/**
 * A new znode without children.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly data: Uint8Array | null
  readonly acl: ReadonlyArray<Acl>
  readonly owner?: bigint | undefined
  readonly zxid: bigint
  readonly time: number
}): Znode => ({
  data: options.data,
  acl: options.acl,
  children: new Set(),
  czxid: options.zxid,
  mzxid: options.zxid,
  pzxid: options.zxid,
  ctime: options.time,
  mtime: options.time,
  version: 0,
  cversion: 0,
  aversion: 0,
  owner: options.owner ?? 0n
})

/**
 * The Stat of a znode for clients. Its `cversion` counts creations and deletions of children, which is twice the creations
 * minus the current children; its `ephemeralOwner` is 0 for containers and TTL znodes.
 *
 * @category getters
 * @since 0.1.0
 */
export const statOf = (znode: SnapshotZnode): Stat => ({
  czxid: znode.czxid,
  mzxid: znode.mzxid,
  ctime: znode.ctime,
  mtime: znode.mtime,
  version: znode.version,
  cversion: (znode.cversion * 2 - znode.children.size) | 0,
  aversion: znode.aversion,
  ephemeralOwner: kindOf(znode.owner) === "ephemeral" ? znode.owner : 0n,
  dataLength: znode.data?.length ?? 0,
  numChildren: znode.children.size,
  pzxid: znode.pzxid
})

// ---- internal

const TTL_MARK = 0xff00000000000000n
