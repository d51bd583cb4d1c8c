import * as Acl from "@effect-zookeeper/protocol/Acl"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Access from "../../Access.ts"
import type { Change } from "../../Change.ts"
import { reserved } from "../../DataTree.ts"
import type { Draft } from "../../Draft.ts"
import type { Requester } from "./Requester.ts"
import { isVersion } from "./version.ts"

/** It is the parent's ACL that counts; the znode's own has no say. */
export const prepareDelete = (
  draft: Draft,
  { identities }: Requester,
  { path, version }: { readonly path: string; readonly version: number }
): Change | number => {
  const slash = path.lastIndexOf("/")
  if (slash === -1 || path.includes("\0") || reserved.has(path)) return codes.BadArguments
  const parentPath = path.slice(0, slash)
  const parent = draft.get(parentPath)
  if (parent === undefined) return codes.NoNode
  if (!Access.allows(parent.acl, Acl.Perms.DELETE, identities)) return codes.NoAuth
  const node = draft.get(path)
  if (node === undefined) return codes.NoNode
  if (!isVersion(version, node.version)) return codes.BadVersion
  if (node.childCount > 0) return codes.NotEmpty
  draft.set(parentPath, { ...parent, childCount: parent.childCount - 1 })
  draft.delete(path)
  return { _tag: "Delete", path }
}
