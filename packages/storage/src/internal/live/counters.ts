/** The counter of a znode that numbers its sequential children, as its Stat tells it. */
import type { Stat } from "@effect-zookeeper/client/Models"

/**
 * How many children were ever created there, which is the number of the next sequential one. The `cversion` of a Stat is
 * twice that less the children that are there, in 32 bits.
 */
export const childrenEverOf = ({ cversion, numChildren }: Pick<Stat, "cversion" | "numChildren">): number =>
  ((cversion + numChildren) >>> 0) / 2
