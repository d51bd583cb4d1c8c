import type { Stat } from "@effect-zookeeper/console/Models"

/** The Stat of a persistent znode, as it was created. */
export const stat: Stat = {
  czxid: 1n,
  mzxid: 1n,
  pzxid: 1n,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0
}
