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
  | { readonly _tag: "Overwrite"; readonly data: boolean; readonly acl: boolean; readonly version: number }
  | { readonly _tag: "Same" }
  | { readonly _tag: "Leave"; readonly reason: "newer" | "exists" | "ephemeral" | "belowEphemeral" }

export const wantedOf = (entry: Entry, path: string, acl: ReadonlyArray<Acl.Acl>): Wanted => {
  const { cversion, data, mtime, owner } = entry.znode
  return { path, data, acl, owner, mtime, hasChildren: entry.numChildren > 0, counter: cversion }
}

export const decide = (wanted: Wanted, current: Current | undefined, rule: OverwriteRule): Decision => {
  if (current === undefined) return { _tag: "Create" }
  const { data, stat } = current
  if (stat.ephemeralOwner !== 0n) return { _tag: "Leave", reason: "ephemeral" }
  const hasData = isSameData(wanted.data, data)
  const hasAcl = isSameAcl(wanted.acl, current.acl)
  if (hasData && hasAcl) return { _tag: "Same" }
  const isUnfinished = hasData && isSameAcl(wanted.acl, withoutTemporary(current.acl))
  const isAllowed = isUnfinished || rule === "always" || (rule === "older" && stat.mtime <= wanted.mtime)
  if (!isAllowed) return { _tag: "Leave", reason: rule === "never" ? "exists" : "newer" }
  return { _tag: "Overwrite", data: !hasData, acl: !hasAcl, version: stat.version }
}

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

/** Whether every client may create and delete children there. */
export const isOpenForChildren = (acl: ReadonlyArray<Acl.Acl>): boolean => {
  const needed = Acl.Perms.CREATE | Acl.Perms.DELETE
  return acl.some(({ perms, scheme }) => scheme === "world" && (perms & needed) === needed)
}

/** Whether a server has hidden the hash of a digest, because the reader had no right to see it. */
export const isMasked = (acl: ReadonlyArray<Acl.Acl>): boolean =>
  acl.some(({ id, scheme }) => scheme === "digest" && id.endsWith(":x"))

const empty = new Uint8Array(0)
