/**
 * setData, setACL and check: writes to one existing znode.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as AccessControl from "../state/AccessControl.ts"
import type { Change } from "../state/Transaction.ts"
import type { SpeculativeTree } from "../state/SpeculativeTree.ts"
import type { Requester } from "./Requester.ts"
import { isVersion, nextVersion } from "./version.ts"

export const prepareSetData = (
  speculation: SpeculativeTree,
  { identities, rules }: Requester,
  { data, path, version }: Operation.Request<typeof Operations.setData>
): Change | number => {
  if (ZnodePath.check(path) !== undefined) return codes.BadArguments
  const node = speculation.get(path)
  if (node === undefined) return codes.NoNode
  if (!AccessControl.allows(node.acl, Acl.Perms.WRITE, identities)) return codes.NoAuth
  const dataLength = data?.length ?? 0
  const refusal = rules.enforceQuota
    ? speculation.tree.quotaRefusal(path, dataLength - node.dataLength, 0, rules.release)
    : undefined
  if (refusal !== undefined) return refusal
  if (!isVersion(version, node.version)) return codes.BadVersion
  const next = nextVersion(node.version)
  speculation.set(path, { ...node, version: next, dataLength })
  return { _tag: "SetData", path, data: data && data.slice(), version: next }
}

export const prepareSetAcl = (
  speculation: SpeculativeTree,
  { identities, rules }: Requester,
  { acl, path, version }: Operation.Request<typeof Operations.setACL>
): Change | number => {
  if (ZnodePath.check(path) !== undefined) return codes.BadArguments
  const stored = AccessControl.resolve(acl, identities, rules.release)
  if (typeof stored === "number") return stored
  const node = speculation.get(path)
  if (node === undefined) return codes.NoNode
  if (!AccessControl.allows(node.acl, Acl.Perms.ADMIN, identities)) return codes.NoAuth
  if (!isVersion(version, node.aversion)) return codes.BadVersion
  const aversion = nextVersion(node.aversion)
  speculation.set(path, { ...node, acl: stored, aversion })
  return { _tag: "SetAcl", path, acl: stored, aversion }
}

export const prepareCheck = (
  speculation: SpeculativeTree,
  { identities }: Requester,
  { path, version }: Operation.Request<typeof Operations.check>
): Change | number => {
  if (ZnodePath.check(path) !== undefined) return codes.BadArguments
  const node = speculation.get(path)
  if (node === undefined) return codes.NoNode
  if (!AccessControl.allows(node.acl, Acl.Perms.READ, identities)) return codes.NoAuth
  return isVersion(version, node.version) ? { _tag: "Check", path } : codes.BadVersion
}
