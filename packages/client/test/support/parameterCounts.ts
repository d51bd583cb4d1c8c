/** How many parameters each method of the client declares; the compiler counts them. */
import type { ZooKeeper } from "../../src/index.ts"

type ParameterCounts = {
  [
    K in keyof ZooKeeper.Service as ZooKeeper.Service[K] extends (...args: never) => unknown ? K : never
  ]: ZooKeeper.Service[K] extends (...args: infer P) => unknown ? Required<P>["length"] : never
}

export const parameterCounts = {
  create: 2,
  createWithStat: 2,
  ensurePath: 2,
  createWithParents: 2,
  createOrSet: 3,
  exists: 1,
  stat: 1,
  get: 1,
  getData: 1,
  getChildren: 1,
  getChildrenWithStat: 1,
  getAcl: 1,
  countDescendants: 1,
  getEphemerals: 1,
  read: 1,
  sync: 1,
  set: 3,
  setData: 3,
  update: 3,
  setAcl: 3,
  delete: 2,
  deleteAll: 1,
  transaction: 1,
  getAndWatch: 1,
  existsAndWatch: 1,
  getChildrenAndWatch: 1,
  events: 2,
  dataChanges: 1,
  childrenChanges: 1,
  addAuth: 2,
  reconfigure: 1,
  updateServers: 1,
  withChroot: 1
} satisfies ParameterCounts
