/** The decision of a restore about one znode, from the znode that it should be and the one that is there. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { AclAndStat, DataAndStat } from "@effect-zookeeper/client/Models"
import { containerOwner, kindOf } from "../../Znode.ts"
import type { Entry } from "../live/model.ts"

/** A znode as it should be, at its path in the target. */
export interface Wanted {
  readonly path: string
  readonly data: Uint8Array | null
  readonly acl: ReadonlyArray<Acl.Acl>
  readonly owner: bigint
  readonly mtime: number
  /** With these, a znode of the target is known to be the very same one, whose ACL then has versions that can be compared. */
  readonly czxid: bigint
  readonly ctime: number
  readonly aversion: number
  readonly hasChildren: boolean
  /** How many children were ever created there. */
  readonly counter: number
}

/** A znode as it is in the target. */
export interface Current extends DataAndStat, AclAndStat {}

/** Which znodes of the target may be overwritten. */
export type OverwriteRule = "older" | "never" | "always"

export type Decision =
  | { readonly _tag: "Create" }
  | {
      readonly _tag: "Overwrite"
      readonly data: boolean
      readonly acl: boolean
      /** The versions that were seen, and the ACL of which this is the version. */
      readonly version: number
      readonly aversion: number
      readonly former: ReadonlyArray<Acl.Acl>
    }
  | { readonly _tag: "Same" }
  | { readonly _tag: "Leave"; readonly reason: "newer" | "exists" | "ephemeral" | "belowEphemeral" }

export const wantedOf = (entry: Entry, path: string, acl: ReadonlyArray<Acl.Acl>): Wanted => {
  const { aversion, ctime, cversion, czxid, data, mtime, owner } = entry.znode
  const hasChildren = entry.numChildren > 0
  return { path, data, acl, owner, mtime, czxid, ctime, aversion, hasChildren, counter: cversion }
}

export const decide = (wanted: Wanted, current: Current | undefined, rule: OverwriteRule): Decision => {
  if (current === undefined) return { _tag: "Create" }
  const { data, stat } = current
  if (stat.ephemeralOwner !== 0n) return { _tag: "Leave", reason: "ephemeral" }
  const hasData = isSameData(wanted.data, data)
  const hasAcl = isSameAcl(wanted.acl, current.acl)
  if (hasData && hasAcl) return { _tag: "Same" }
  const isNewer = stat.mtime > wanted.mtime || (hasData && hasNewerAcl(wanted, current))
  const isAllowed = rule === "always" || (rule === "older" && !isNewer)
  // An interrupted restore has begun it, and is ended whatever the rule is. Newer data stays.
  const isUnfinished = isSameAcl(wanted.acl, withoutTemporary(current.acl)) && !hasAcl
  if (!isAllowed && !isUnfinished) return { _tag: "Leave", reason: rule === "never" ? "exists" : "newer" }
  const { aversion, version } = stat
  return { _tag: "Overwrite", data: isAllowed && !hasData, acl: !hasAcl, version, aversion, former: current.acl }
}

/** ACLs have no times. Only in the znode of the source itself their versions tell which one is newer. */
const hasNewerAcl = ({ aversion, ctime, czxid }: Wanted, { stat }: Current): boolean =>
  stat.czxid === czxid && stat.ctime === ctime && stat.aversion > aversion

/** The options of a create that gives the znode its kind. */
export const modeOf = (
  owner: bigint
): { readonly mode: "persistent" | "container" } | { readonly mode: "persistentWithTtl"; readonly ttl: number } => {
  if (owner === containerOwner) return { mode: "container" }
  const kind = kindOf(owner)
  return kind._tag === "Ttl" ? { mode: "persistentWithTtl", ttl: kind.ttl } : { mode: "persistent" }
}

/** No data is the same as empty data, which is all that a client can see of it. */
export const isSameData = (a: Uint8Array | null, b: Uint8Array | null): boolean => {
  const [left, right] = [a ?? empty, b ?? empty]
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}

export const isSameAcl = (a: ReadonlyArray<Acl.Acl>, b: ReadonlyArray<Acl.Acl>): boolean =>
  a.length === b.length &&
  a.every((entry, index) => {
    const other = b[index]
    return entry.perms === other?.perms && entry.scheme === other.scheme && entry.id === other.id
  })

// ---- entries of ACLs for the time of a restore

/** A bit without a meaning, which servers keep: it marks an entry that a restore has added. */
const MARK = 0x2000_0000

export const temporaryEntry = (scheme: string, id: string): Acl.Acl => ({ perms: Acl.Perms.ALL | MARK, scheme, id })

export const withoutTemporary = (acl: ReadonlyArray<Acl.Acl>): ReadonlyArray<Acl.Acl> =>
  acl.filter(({ perms }) => (perms & MARK) === 0)

export const hasTemporary = (acl: ReadonlyArray<Acl.Acl>): boolean => withoutTemporary(acl).length < acl.length

/**
 * An ACL that shows that the znode is not done, and with which this client may work on it: by entries of its own, or, if its
 * identity is not known, by those that it had before.
 */
export const temporaryAcl = (
  acl: ReadonlyArray<Acl.Acl>,
  own: ReadonlyArray<Acl.Acl> | undefined,
  former: ReadonlyArray<Acl.Acl>
): ReadonlyArray<Acl.Acl> => [...acl, ...(own ?? former.map((entry) => ({ ...entry, perms: entry.perms | MARK })))]

/** Whether every client may create and delete children there. */
export const isOpenForChildren = (acl: ReadonlyArray<Acl.Acl>): boolean => {
  const needed = Acl.Perms.CREATE | Acl.Perms.DELETE
  return acl.some(({ perms, scheme }) => scheme === "world" && (perms & needed) === needed)
}

/** Whether a server has hidden the hash of a digest, because the reader had no right to see it. */
export const isMasked = (acl: ReadonlyArray<Acl.Acl>): boolean =>
  acl.some(({ id, scheme }) => scheme === "digest" && id.endsWith(":x"))

const empty = new Uint8Array(0)
