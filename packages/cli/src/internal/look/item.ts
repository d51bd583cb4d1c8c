/** A znode of a walk, as commands print it. */
import * as Output from "../../Output.ts"
import type { Visited } from "../../TreeWalk.ts"

export const toItem = ({ depth, isForbidden, isLast, path, stat }: Visited) => ({
  path,
  depth,
  kind: Output.kindOf(stat.ephemeralOwner),
  forbidden: isForbidden,
  stat,
  isLast
})
