/**
 * A znode as a server keeps it, in memory and in its snapshots, and the Stat that clients see of it.
 *
 * @since 0.1.0
 */
import type { Acl } from "./Acl.ts"
import type { Stat } from "./Records.ts"

/**
 * A znode as a server keeps it. The fields of its Stat have the names that they have there; `statOf` gives the Stat.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredZnode {
  /** Null if the znode was created without data. */
  readonly data: Uint8Array | null
  readonly acl: ReadonlyArray<Acl>
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
  /** The session of an ephemeral znode, 0 for a persistent one, and other numbers for containers and TTL znodes: see `kindOf`. */
  readonly owner: bigint
}

/**
 * The kinds of znodes that the owner tells apart. Containers exist since ZooKeeper 3.5.1, and TTL znodes since 3.5.3.
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
export const containerOwner: bigint = -0x8000000000000000n

/**
 * The owner of a TTL znode, which is deleted after `ttl` milliseconds, up to 2^40 - 1, without children or new data.
 *
 * @example
 * ```ts
 * import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"
 *
 * const owner = StoredZnode.ttlOwner(60_000n)
 * StoredZnode.kindOf(owner) // "ttl"
 * StoredZnode.ttlOf(owner) // 60000
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ttlOwner = (ttl: bigint): bigint => BigInt.asIntN(64, TTL_MARK | ttl)

/**
 * The kind of a znode by its owner. The sessions of servers with the id 255 look like TTL znodes: ZooKeeper refuses TTLs there.
 *
 * @category getters
 * @since 0.1.0
 */
export const kindOf = (owner: bigint): Kind => {
  if (owner === 0n) return "persistent"
  if (owner === containerOwner) return "container"
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
 * The Stat that clients see of a znode with so many children. Its `cversion` counts creations and deletions of children, which
 * is twice the creations minus the current children; its `ephemeralOwner` is 0 for containers and TTL znodes.
 *
 * @category getters
 * @since 0.1.0
 */
export const statOf = (znode: StoredZnode, numChildren: number): Stat => ({
  czxid: znode.czxid,
  mzxid: znode.mzxid,
  ctime: znode.ctime,
  mtime: znode.mtime,
  version: znode.version,
  cversion: (znode.cversion * 2 - numChildren) | 0,
  aversion: znode.aversion,
  ephemeralOwner: kindOf(znode.owner) === "ephemeral" ? znode.owner : 0n,
  dataLength: znode.data?.length ?? 0,
  numChildren,
  pzxid: znode.pzxid
})

// ---- internal

const TTL_MARK = 0xff00000000000000n
