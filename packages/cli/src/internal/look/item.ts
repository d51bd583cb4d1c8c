/** A znode of a walk, as commands print it. */
import type { Stat } from "@effect-zookeeper/client/Models"
import * as Output from "../../Output.ts"
import type { Visited } from "../../TreeWalk.ts"

export const toItem = ({ depth, isForbidden, isLast, path, stat }: Visited) => ({
  path,
  depth,
  forbidden: isForbidden,
  ...withKind(stat),
  isLast
})

/** The kind and the stat, where the ACL allows to see them. */
export const withKind = (stat: Stat | undefined) =>
  stat === undefined ? {} : { kind: Output.kindOf(stat.ephemeralOwner), stat }
