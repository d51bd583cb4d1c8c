/**
 * create, create2, createContainer and createTTL, with the order of errors of a real server.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"
import * as AccessControl from "../state/AccessControl.ts"
import type { Change } from "../state/Transaction.ts"
import type { SpeculativeTree } from "../state/SpeculativeTree.ts"
import type { Requester } from "./Requester.ts"

/** The time to live of every create except createTTL. */
const NO_TTL = -1n

export interface CreateRequest extends Operation.Request<typeof Operations.create> {
  readonly ttl?: bigint
}

/** The change, or the code of an error. */
export const prepareCreate = (
  speculation: SpeculativeTree,
  { identities, local, rules, session }: Requester,
  name: "create" | "create2" | "createContainer" | "createTTL",
  { acl, data, flags, path, ttl = NO_TTL }: CreateRequest
): Change | number => {
  const mode = CreateMode.fromFlags(flags)
  if (mode === undefined) return codes.BadArguments
  const timed = CreateMode.hasTtl(mode)
  if (timed && !rules.extendedTypes) return codes.Unimplemented
  if (timed ? ttl < 1n || ttl > BigInt(CreateMode.maxTtlMillis) : ttl >= 0n) return codes.BadArguments
  // A real 3.8.0 accepts this request and crashes; here it is refused.
  if (name === "createTTL" && !timed) return codes.BadArguments
  if (local && CreateMode.isEphemeral(mode)) return codes.EphemeralOnLocalSession

  const slash = path.lastIndexOf("/")
  if (slash === -1 || path.includes("\0")) return codes.BadArguments
  const stored = AccessControl.resolve(acl, identities, rules.release)
  if (typeof stored === "number") return stored
  const parentPath = path.slice(0, slash)
  const parent = speculation.get(parentPath)
  if (parent === undefined) return codes.NoNode
  if (!AccessControl.allows(parent.acl, Acl.Perms.CREATE, identities)) return codes.NoAuth

  const actual = CreateMode.isSequential(mode) ? path + ZnodePath.formatSequence(parent.cversion) : path
  if (ZnodePath.check(actual) !== undefined) return codes.BadArguments
  if (speculation.get(actual) !== undefined) return codes.NodeExists
  if (StoredZnode.kindOf(parent.owner) === "ephemeral") return codes.NoChildrenForEphemerals
  const dataLength = data?.length ?? 0
  const refusal = rules.enforceQuota ? speculation.tree.quotaRefusal(actual, dataLength, 1, rules.release) : undefined
  if (refusal !== undefined) return refusal

  const owner =
    name === "createContainer"
      ? StoredZnode.containerOwner
      : name === "createTTL"
        ? StoredZnode.ttlOwner(ttl)
        : CreateMode.isEphemeral(mode)
          ? session
          : 0n
  const parentCversion = (parent.cversion + 1) | 0
  speculation.set(parentPath, { ...parent, cversion: parentCversion, childCount: parent.childCount + 1 })
  speculation.set(actual, { acl: stored, owner, version: 0, aversion: 0, cversion: 0, childCount: 0, dataLength })
  return { _tag: "Create", path: actual, data: data && data.slice(), acl: stored, owner, parentCversion }
}
