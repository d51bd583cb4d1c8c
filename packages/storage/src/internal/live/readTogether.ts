/** Many znodes of a live tree, with few requests. */
import type { AclAndStat, DataAndStat, Stat } from "@effect-zookeeper/client/Models"
import * as Op from "@effect-zookeeper/client/Op"
import * as Requests from "@effect-zookeeper/client/Requests"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { AclReaders, LiveReader } from "./model.ts"
import {
  entryOf,
  fingerprintOf,
  isSameContent,
  isSameStat,
  type Known,
  type OwnerOf,
  type ReadZnode
} from "./readZnode.ts"
import type { Visit } from "./walk.ts"

/** The joint requests of one work on a live tree: a pass, a restore, a comparison. */
export interface JointReads {
  readonly zk: LiveReader
  /** All that ask for ACLs; `zk` is one of them. */
  readonly aclReaders: ReadonlyArray<LiveReader>
  /**
   * Done by a reply that was larger than the client allows, because znodes have grown since their Stats were seen. It costs the
   * connection, and with it the writes of others that are on their way. So it is the last one.
   */
  readonly end: Deferred.Deferred<void>
  /** The most bytes that are asked for in a request. */
  readonly limit: { size: number }
}

/** Those of another work with the same client keep within the limit that was found `before`. */
export const jointReadsOf = (
  zk: LiveReader,
  { aclReaders = [] }: AclReaders = {},
  before?: JointReads
): JointReads => ({
  zk,
  aclReaders: [zk, ...aclReaders],
  end: Deferred.makeUnsafe(),
  limit: before?.limit ?? { size: MAX_SIZE }
})

/**
 * Reads those of the znodes that can be read together, each as it was at one moment: their ACLs first, and then the data and
 * children of many in one request. All others are read by `readZnode`: those that are gone, that may not be read, that are large, or
 * that were changed meanwhile, and all if the servers have no such requests.
 */
export const readTogether = (
  joint: JointReads,
  paths: ReadonlyArray<string>,
  ownerOf?: OwnerOf
): Effect.Effect<ReadonlyMap<string, ReadZnode>> => {
  if (!canReadTogether(joint, paths)) return Effect.succeed(new Map())
  const { limit } = joint
  return Effect.gen(function* () {
    const found = new Map<string, ReadZnode>()
    const add = ({ acl, path, stat }: Looked, data: Uint8Array, children: ReadonlyArray<string>): void => {
      found.set(path, { entry: entryOf(path, data, acl, stat, ownerOf), children })
    }
    const replies = yield* askForAcls(joint, paths)
    const left: Array<Looked> = []
    // Another client may have read from a server that lags behind: what it says of an empty znode is to be confirmed, too.
    const isConfirmed = joint.aclReaders.length === 1
    for (const [index, path] of paths.entries()) {
      const reply = replies[index]
      if (reply === undefined || Exit.isFailure(reply)) continue
      const { acl, stat } = reply.value
      const znode = { path, acl, stat }
      const isEmpty = stat.dataLength === 0 && stat.numChildren === 0
      if (isEmpty && isConfirmed) add(znode, new Uint8Array(0), [])
      else if (sizeOf(stat) <= limit.size) left.push(znode)
    }
    const groups = groupsOf(joint, left, ({ stat }) => sizeOf(stat))
    yield* readGroups(joint, groups, (group) => readGroup(joint, group, add))
    return found
  })
}

/**
 * The data and ACLs of those that can be read together, each as it was at one moment. All is asked for at once where their Stats
 * were `seen` before, which tell how large the reply will be.
 */
export const currentTogether = (
  joint: JointReads,
  paths: ReadonlyArray<string>,
  seen?: Pick<ReadonlyMap<string, Stat>, "get">
): Effect.Effect<ReadonlyMap<string, DataAndStat & AclAndStat>> => {
  if (!canReadTogether(joint, paths)) return Effect.succeed(new Map())
  const { limit } = joint
  return Effect.gen(function* () {
    const data = new Map<string, DataAndStat>()
    const read = (sizeOf: (path: string) => number | undefined) => {
      const sizes = paths.flatMap((path) => {
        const size = sizeOf(path)
        return size === undefined || size > limit.size ? [] : [{ path, size }]
      })
      const groups = groupsOf(joint, sizes, ({ size }) => size)
      return readGroups(joint, groups, (group) =>
        readAll(joint, group, isNoParent, ({ path }, read) => void data.set(path, read))
      )
    }
    const asked = yield* Effect.forkChild(askForAcls(joint, paths), {
      startImmediately: true
    })
    if (seen !== undefined) yield* read((path) => seen.get(path)?.dataLength)
    const acls = new Map<string, AclAndStat>()
    for (const [index, reply] of (yield* Fiber.join(asked)).entries()) {
      const path = paths[index]
      if (path !== undefined && Exit.isSuccess(reply)) acls.set(path, reply.value)
    }
    if (seen === undefined) yield* read((path) => acls.get(path)?.stat.dataLength)
    const found = new Map<string, DataAndStat & AclAndStat>()
    for (const [path, { acl, stat }] of acls) {
      const read = data.get(path)
      if (read !== undefined && isSameContent(stat, read.stat)) found.set(path, { ...read, acl })
    }
    return found
  })
}

/** The records of znodes, by their paths. */
type KnownZnodes = Pick<ReadonlyMap<string, Known>, "get">

/**
 * Looks whether znodes are as they are known. Gives the children of those that are, and `"changed"` for the others. Those that
 * cannot be looked at together are missing: those that are gone, that may not be read, that are large, and all if the servers have
 * no such requests.
 *
 * A request that tells many Stats has the data with them. It takes the servers less time than a request for each.
 */
export const lookTogether = (
  joint: JointReads,
  paths: ReadonlyArray<string>,
  known: KnownZnodes
): Effect.Effect<ReadonlyMap<string, ReadonlyArray<string> | "changed">> => {
  if (!canReadTogether(joint, paths)) return Effect.succeed(new Map())
  return Effect.suspend(() => {
    const found = new Map<string, ReadonlyArray<string> | "changed">()
    const left: Array<KnownZnode> = []
    for (const path of paths) {
      const before = known.get(path)
      if (before !== undefined && before.dataLength <= MAX_DATA && sizeOf(before) <= joint.limit.size) {
        left.push({ path, known: before })
      }
    }
    const groups = groupsOf(joint, left, ({ known }) => sizeOf(known))
    return Effect.as(
      readGroups(joint, groups, (group) => lookAtGroup(joint, group, found)),
      found
    )
  })
}

/** Visits the znodes that `visitOf` has read already, and at the same time each of the others by itself. */
export const visitRead = <A, E, R>(
  paths: ReadonlyArray<string>,
  visitOf: (path: string, index: number) => Visit<A> | undefined,
  visit: (path: string) => Effect.Effect<Visit<A> | undefined, E, R>
): Effect.Effect<ReadonlyArray<Visit<A> | undefined>, E, R> => {
  // A fiber costs more than the visit of a znode that was read.
  const visits = paths.map(visitOf)
  const others = [...paths.entries()].filter(([index]) => visits[index] === undefined)
  return Effect.as(
    Effect.forEach(
      others,
      ([index, path]) =>
        Effect.map(visit(path), (visited) => {
          visits[index] = visited
        }),
      { concurrency: "unbounded", discard: true }
    ),
    visits
  )
}

// ---- internal

const canReadTogether = ({ end, zk }: JointReads, paths: ReadonlyArray<string>): boolean =>
  paths.length >= MIN_ZNODES && !Deferred.isDoneUnsafe(end) && zk.session.serverFeatures.supports("multiRead")

/** Each client asks for a part of them. */
const askForAcls = ({ aclReaders, zk }: JointReads, paths: ReadonlyArray<string>) => {
  const share = Math.ceil(paths.length / aclReaders.length)
  return Requests.exits(paths.map((path, index) => (aclReaders[Math.floor(index / share)] ?? zk).getAcl(path)))
}

const isNoParent = (): boolean => false

/** Fewer take no less time together. */
const MIN_ZNODES = 16

/** The most znodes in a request. */
const MAX_ZNODES = 64

/** The most bytes that are asked for in a request by default: a small part of the reply that a client allows by default. */
const MAX_SIZE = 262_144

/** The most data that is read for the sake of a Stat, in bytes. */
const MAX_DATA = 4096

/** The assumed size of the name of a child, in bytes. */
const NAME_SIZE = 64

interface Looked extends AclAndStat {
  readonly path: string
}

interface KnownZnode {
  readonly path: string
  readonly known: Known
}

const sizeOf = ({ dataLength, numChildren }: Pick<Stat, "dataLength" | "numChildren">): number =>
  dataLength + numChildren * NAME_SIZE

const groupsOf = <A>(
  { limit }: JointReads,
  znodes: ReadonlyArray<A>,
  sizeOf: (znode: A) => number
): ReadonlyArray<ReadonlyArray<A>> => {
  const groups: Array<Array<A>> = []
  let size = Number.POSITIVE_INFINITY
  for (const znode of znodes) {
    size += sizeOf(znode)
    const last = groups.at(-1)
    if (last === undefined || last.length >= MAX_ZNODES || size > limit.size) {
      groups.push([znode])
      size = sizeOf(znode)
    } else last.push(znode)
  }
  return groups
}

/** Reads all groups at once. At the end of the joint requests, those that wait for their replies are given up. */
const readGroups = <A>(
  { end }: JointReads,
  groups: ReadonlyArray<A>,
  read: (group: A) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.suspend(() =>
    groups.length === 0 || Deferred.isDoneUnsafe(end)
      ? Effect.void
      : Effect.raceFirst(
          Effect.forEach(groups, read, { concurrency: "unbounded", discard: true }),
          // Another connection would get the same replies.
          Deferred.await(end)
        )
  )

const readGroup = (
  joint: JointReads,
  group: ReadonlyArray<Looked>,
  add: (znode: Looked, data: Uint8Array, children: ReadonlyArray<string>) => void
): Effect.Effect<void> =>
  readAll(
    joint,
    group,
    ({ stat }) => stat.numChildren > 0,
    (znode, { data, stat }, names) => {
      const children = names ?? (stat.numChildren === 0 ? [] : undefined)
      if (children !== undefined && isSameStat(stat, znode.stat)) add(znode, data, children)
    }
  )

const lookAtGroup = (
  joint: JointReads,
  group: ReadonlyArray<KnownZnode>,
  found: Map<string, ReadonlyArray<string> | "changed">
): Effect.Effect<void> =>
  readAll(
    joint,
    group,
    ({ known }) => known.numChildren > 0,
    ({ known, path }, { stat }, names) => {
      const children = names ?? (stat.numChildren === 0 ? [] : undefined)
      const isSame = children !== undefined && fingerprintOf(stat) === known.fingerprint
      found.set(path, isSame ? children : "changed")
    }
  )

/**
 * Reads the data of znodes, and the names of the children of parents, which come without a Stat. The names are read before the data:
 * if the Stat is the one that was seen before the request, no child has come or gone.
 */
const readAll = <A extends { readonly path: string }>(
  { end, limit, zk }: JointReads,
  group: ReadonlyArray<A>,
  isParent: (znode: A) => boolean,
  take: (znode: A, read: DataAndStat, names: ReadonlyArray<string> | undefined) => void
): Effect.Effect<void> => {
  const parents = group.filter(isParent)
  const ops = [...parents.map(({ path }) => Op.getChildren(path)), ...group.map(({ path }) => Op.get(path))]
  return zk.read(ops).pipe(
    Effect.map((results) => {
      const names = new Map<A, ReadonlyArray<string>>()
      for (const [index, result] of results.entries()) {
        if (Result.isFailure(result)) continue
        const value = result.success
        if (!("stat" in value)) {
          const parent = parents[index]
          if (parent !== undefined) names.set(parent, value)
          continue
        }
        const znode = group[index - parents.length]
        if (znode !== undefined) take(znode, value, names.get(znode))
      }
    }),
    Effect.catchTag("FrameTooLarge", (error) => {
      // A request that is too large was not sent.
      if (error.option !== "maxFrameSize") return Effect.void
      // The client may allow no more, or names be longer than assumed: the same request would be too large in each pass.
      limit.size = Math.floor(Math.min(limit.size, error.limit) / 2)
      return Deferred.succeed(end, undefined)
    }),
    Effect.ignore
  )
}
