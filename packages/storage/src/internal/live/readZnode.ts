/** One znode of a live tree, with everything that belongs to it as it was at one moment. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { AclAndStat, ChildrenAndStat, DataAndStat, Stat } from "@effect-zookeeper/client/Models"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Entry, LiveReader } from "./model.ts"
import { ZnodeRecord } from "../records.ts"
import { childrenEverOf } from "./counters.ts"

export interface ReadZnode {
  readonly entry: Entry
  readonly children: ReadonlyArray<string>
}

/** The owner of containers and TTL znodes, which servers do not tell, from another place; undefined where it is not known. */
export type OwnerOf = (path: string, czxid: bigint) => bigint | undefined

/**
 * Reads data, ACL and children until all of them are of one moment. It fails with `NoNode` if the znode is not there.
 * Transient errors are repeated, as reads may be.
 *
 * Children that come and go meanwhile do not matter: if data and ACL have stayed the same, the znode was as it is read when its
 * children were listed.
 */
export const readZnode = (zk: LiveReader, path: string, ownerOf?: OwnerOf): Effect.Effect<ReadZnode, ReadError> => {
  const again: Effect.Effect<ReadZnode, ReadError> = Effect.suspend(() =>
    Effect.flatMap(retryingTransient(readAtOnce(zk, path, ownerOf)), (read) =>
      read === undefined ? again : Effect.succeed(read)
    )
  )
  return Effect.flatMap(retryingTransient(readInTurn(zk, path, ownerOf)), (read) =>
    read === undefined ? again : Effect.succeed(read)
  )
}

/** As `Outcome.retryTransient`, whose cost is paid only after a failure. */
export const retryingTransient = <A, E extends { readonly _tag: string }>(
  request: Effect.Effect<A, E>
): Effect.Effect<A, E> => Effect.catchIf(request, Outcome.isTransient, () => Outcome.retryTransient(request))

/** Data and ACL, which are asked for together. */
export const readDataAndAcl = (
  zk: Pick<LiveReader, "get" | "getAcl">,
  path: string
): Effect.Effect<readonly [DataAndStat, AclAndStat], ReadError> =>
  Effect.gen(function* () {
    const acl = yield* Effect.forkChild(zk.getAcl(path), { startImmediately: true })
    const data = yield* zk.get(path)
    return [data, yield* Fiber.join(acl)] as const
  })

/**
 * All that changes of a znode leave in its Stat. A znode with the same has not been changed between two looks. The times tell it
 * from a znode of another ensemble, whose transactions may have the same numbers. It is kept for long: a text takes less memory.
 */
export const fingerprintOf = (stat: Stat): string =>
  `${stat.czxid},${stat.mzxid},${stat.pzxid},${stat.aversion},${stat.cversion},${stat.ctime},${stat.mtime}`

/** The fingerprint of a znode that was read. */
export const fingerprintOfEntry = ({ numChildren, znode }: Entry): string =>
  `${znode.czxid},${znode.mzxid},${znode.pzxid},${znode.aversion},${(znode.cversion * 2 - numChildren) | 0},${znode.ctime},${znode.mtime}`

/** Whether data and ACL have not been changed between two looks. */
export const isSameContent = (a: Stat, b: Stat): boolean =>
  a.czxid === b.czxid && a.mzxid === b.mzxid && a.aversion === b.aversion

/** Whether the fingerprints of two Stats are the same. */
export const isSameStat = (a: Stat, b: Stat): boolean =>
  isSameContent(a, b) && a.pzxid === b.pzxid && a.cversion === b.cversion && a.ctime === b.ctime && a.mtime === b.mtime

/** The record of a znode that was read. */
export interface Known {
  readonly fingerprint: string
  /** The bytes of its data. */
  readonly dataLength: number
  readonly numChildren: number
}

export const knownOf = (entry: Entry): Known => ({
  fingerprint: fingerprintOfEntry(entry),
  dataLength: entry.znode.data?.length ?? 0,
  numChildren: entry.numChildren
})

/** The entry of what was read of a znode. */
export const entryOf = (
  path: string,
  data: Uint8Array,
  acl: Entry["znode"]["acl"],
  stat: Stat,
  ownerOf: OwnerOf | undefined
): Entry => {
  const { aversion, ctime, czxid, ephemeralOwner, mtime, mzxid, numChildren, pzxid, version } = stat
  const owner = ephemeralOwner === 0n ? ownerOf?.(path, czxid) : ephemeralOwner
  return {
    znode: new ZnodeRecord({
      path,
      data,
      acl,
      czxid,
      mzxid,
      pzxid,
      ctime,
      mtime,
      version,
      cversion: childrenEverOf(stat),
      aversion,
      owner: owner ?? 0n
    }),
    numChildren,
    isKindKnown: owner !== undefined
  }
}

// ---- internal

/** The children are asked for only if there are some; most znodes have none. */
const readInTurn = (zk: LiveReader, path: string, ownerOf: OwnerOf | undefined) =>
  Effect.gen(function* () {
    const [data, acl] = yield* readDataAndAcl(zk, path)
    const listed = data.stat.numChildren === 0 ? { children: [], stat: data.stat } : yield* zk.getChildrenWithStat(path)
    return joined(path, data, acl, listed, ownerOf)
  })

/** All is asked for together: data that is written all the time would be other data by the time of the children. */
const readAtOnce = (zk: LiveReader, path: string, ownerOf: OwnerOf | undefined) =>
  Effect.gen(function* () {
    const read = yield* Effect.forkChild(readDataAndAcl(zk, path), { startImmediately: true })
    const listed = yield* zk.getChildrenWithStat(path)
    const [data, acl] = yield* Fiber.join(read)
    return joined(path, data, acl, listed, ownerOf)
  })

/** Undefined if data or ACL have changed between the replies. */
const joined = (
  path: string,
  data: DataAndStat,
  { acl, stat: aclStat }: AclAndStat,
  { children, stat }: ChildrenAndStat,
  ownerOf: OwnerOf | undefined
): ReadZnode | undefined =>
  isSameContent(data.stat, stat) && isSameContent(aclStat, stat)
    ? { entry: entryOf(path, data.data, acl, stat, ownerOf), children }
    : undefined
