/**
 * One znode as a server keeps it, and how clients see it.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import type { Stat } from "@effect-zookeeper/protocol/Records"

/**
 * `cversion` counts children ever created here; clients are shown another number, see `statOf`. `owner` tells sessions,
 * containers and TTL znodes apart, see `kindOf`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Znode {
  data: Uint8Array | null
  acl: ReadonlyArray<Acl>
  readonly children: Set<string>
  readonly czxid: bigint
  mzxid: bigint
  pzxid: bigint
  readonly ctime: number
  mtime: number
  version: number
  cversion: number
  aversion: number
  readonly owner: bigint
}

/**
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
 * The owner of a znode that goes away after so many milliseconds without children or new data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ttlOwner = (ttl: bigint): bigint => BigInt.asIntN(64, TTL_MARK | ttl)

/**
 * @category getters
 * @since 0.1.0
 */
export const kindOf = (owner: bigint): Kind => {
  if (owner === 0n) return "persistent"
  if (owner === CONTAINER) return "container"
  return BigInt.asUintN(64, owner) >> 56n === 0xffn ? "ttl" : "ephemeral"
}

/**
 * The milliseconds of a TTL znode's owner.
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
 * What clients are told. Its `cversion` counts creations and deletions of children, which is twice the creations less
 * the children that are there now; its `ephemeralOwner` is 0 for containers and TTL znodes.
 *
 * @category getters
 * @since 0.1.0
 */
export const statOf = (znode: Znode): Stat => ({
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
