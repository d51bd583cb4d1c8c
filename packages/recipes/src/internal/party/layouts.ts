/**
 * Names of members' znodes, and the ids in them.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as PersistentNode from "../../PersistentNode.ts"
import type { Layout } from "./model.ts"

/** A layout of member names. */
export interface MemberLayout {
  /** Whether an id can be there only once. */
  readonly isUnique: boolean
  readonly isMember: (name: string) => boolean
  /** The id of a member by the name of its znode. */
  readonly idOf: (name: string) => string
  /** How the znode of a member is created. */
  readonly node: Pick<PersistentNode.Options, "mode" | "protected">
}

/** By their public names. */
export const layouts: Readonly<Record<Layout, MemberLayout>> = {
  curator: { isUnique: true, isMember: () => true, idOf: (name) => name, node: { mode: "ephemeral" } },
  aiozk: {
    isUnique: false,
    isMember: (name) => /-[0-9a-f]{32}-$/.test(ZnodePath.splitSequence(name)?.prefix ?? ""),
    idOf: (name) => (ZnodePath.splitSequence(name)?.prefix ?? name).replace(/-$/, ""),
    node: { mode: "ephemeralSequential", protected: (id, name) => `${name}-${id.replaceAll("-", "")}-` }
  }
}
