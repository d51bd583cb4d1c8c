/**
 * Znodes as servers keep them, in memory and in snapshots.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import type { Stat } from "@effect-zookeeper/protocol/Records"

/**
 * A znode as a server keeps it. The fields of its Stat have the names that they have there; `statOf` gives the Stat.
 *
 * @category models
 * @since 0.1.0
 */
export interface Znode {
  /** Absolute; the root is `/`. */
  readonly path: string
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
 * The kind of a znode by its owner. Containers exist since ZooKeeper 3.5.1, and TTL znodes since 3.5.3.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind =
  | { readonly _tag: "Persistent" }
  | { readonly _tag: "Ephemeral"; readonly session: bigint }
  | { readonly _tag: "Container" }
  /** `ttl` is in milliseconds. */
  | { readonly _tag: "Ttl"; readonly ttl: number }

/**
 * The owner of every container.
 *
 * @category constants
 * @since 0.1.0
 */
export const containerOwner: bigint = -0x8000000000000000n

/**
 * The owner of a TTL znode; `ttl` in milliseconds, up to 2^40 - 1.
 *
 * @example
 * ```ts
 * import { Znode } from "@effect-zookeeper/storage"
 *
 * Znode.kindOf(Znode.ttlOwner(60_000n)) // { _tag: "Ttl", ttl: 60000 }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ttlOwner = (ttl: bigint): bigint => BigInt.asIntN(64, 0xff00000000000000n | ttl)

/**
 * The kind of a znode by its owner. The sessions of servers with the id 255 look like TTL znodes: ZooKeeper refuses TTLs there.
 *
 * @category getters
 * @since 0.1.0
 */
export const kindOf = (owner: bigint): Kind => {
  if (owner === 0n) return { _tag: "Persistent" }
  if (owner === containerOwner) return { _tag: "Container" }
  return BigInt.asUintN(64, owner) >> 56n === 0xffn
    ? { _tag: "Ttl", ttl: Number(BigInt.asUintN(40, owner)) }
    : { _tag: "Ephemeral", session: owner }
}

/**
 * The Stat that clients see of a znode with so many children.
 *
 * @category getters
 * @since 0.1.0
 */
export const statOf = (znode: Znode, numChildren: number): Stat => ({
  czxid: znode.czxid,
  mzxid: znode.mzxid,
  ctime: znode.ctime,
  mtime: znode.mtime,
  version: znode.version,
  cversion: (znode.cversion * 2 - numChildren) | 0,
  aversion: znode.aversion,
  ephemeralOwner: kindOf(znode.owner)._tag === "Ephemeral" ? znode.owner : 0n,
  dataLength: znode.data?.length ?? 0,
  numChildren,
  pzxid: znode.pzxid
})
