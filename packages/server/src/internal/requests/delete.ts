import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as AccessControl from "../state/AccessControl.ts"
import type { Change } from "../state/Transaction.ts"
import { reserved } from "../state/DataTree.ts"
import type { SpeculativeTree } from "../state/SpeculativeTree.ts"
import type { Requester } from "./Requester.ts"
import { isVersion } from "./version.ts"

/** Only the ACL of the parent counts, and not that of the znode. */
export const prepareDelete = (
  speculation: SpeculativeTree,
  { identities }: Requester,
  { path, version }: { readonly path: string; readonly version: number }
): Change | number => {
  const slash = path.lastIndexOf("/")
  if (slash === -1 || path.includes("\0") || reserved.has(path)) return codes.BadArguments
  const parentPath = path.slice(0, slash)
  const parent = speculation.get(parentPath)
  if (parent === undefined) return codes.NoNode
  if (!AccessControl.allows(parent.acl, Acl.Perms.DELETE, identities)) return codes.NoAuth
  const node = speculation.get(path)
  if (node === undefined) return codes.NoNode
  if (!isVersion(version, node.version)) return codes.BadVersion
  if (node.childCount > 0) return codes.NotEmpty
  speculation.set(parentPath, { ...parent, childCount: parent.childCount - 1 })
  speculation.delete(path)
  return { _tag: "Delete", path }
}
