/**
 * How the znodes of members are named, and which ids these names stand for.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { Layout } from "../../Party.ts"
import type * as PersistentNode from "../../PersistentNode.ts"

/** What there is to know of a layout. */
export interface MemberLayout {
  /** Whether an id can be there only once. */
  readonly isUnique: boolean
  readonly isMember: (name: string) => boolean
  /** The id of a member by the name of its znode. */
  readonly idOf: (name: string) => string
  /** How the znode of a member is created. */
  readonly node: Pick<PersistentNode.Options, "mode" | "protected">
}

/** By the names that users give them. */
export const layouts: Readonly<Record<Layout, MemberLayout>> = {
  curator: { isUnique: true, isMember: () => true, idOf: (name) => name, node: { mode: "ephemeral" } },
  aiozk: {
    isUnique: false,
    isMember: (name) => /-[0-9a-f]{32}-$/.test(ZnodePath.splitSequence(name)?.prefix ?? ""),
    idOf: (name) => (ZnodePath.splitSequence(name)?.prefix ?? name).replace(/-$/, ""),
    node: { mode: "ephemeralSequential", protected: (id, name) => `${name}-${id.replaceAll("-", "")}-` }
  }
}
