/** Many znodes of a live tree, with few requests. */
import type { AclAndStat } from "@effect-zookeeper/client/Models"
import * as Op from "@effect-zookeeper/client/Op"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { LiveReader } from "./model.ts"
import { entryOf, fingerprintOf, type OwnerOf, type ReadZnode } from "./readZnode.ts"
import type { Visit } from "./walk.ts"

/**
 * Reads those of the znodes that can be read together, each as it was at one moment: their ACLs first, and then the data and
 * children of many in one request. All others are read by `readZnode`: those that are gone, that may not be read, that are large, or
 * that were changed meanwhile, and all if the servers have no such requests.
 */
export const readTogether = (
  zk: LiveReader,
  paths: ReadonlyArray<string>,
  ownerOf?: OwnerOf
): Effect.Effect<ReadonlyMap<string, ReadZnode>> => {
  if (paths.length < MIN_ZNODES || !zk.session.serverFeatures.supports("multiRead")) return Effect.succeed(new Map())
  return Effect.gen(function* () {
    const found = new Map<string, ReadZnode>()
    const add = ({ acl, path, stat }: Looked, data: Uint8Array, children: ReadonlyArray<string>): void => {
      found.set(path, { entry: entryOf(path, data, acl, stat, ownerOf), children })
    }
    const looked = yield* Effect.forEach(paths, (path) => lookAt(zk, path), { concurrency: "unbounded" })
    const left: Array<Looked> = []
    for (const znode of looked) {
      if (znode === undefined) continue
      if (znode.stat.dataLength === 0 && znode.stat.numChildren === 0) add(znode, new Uint8Array(0), [])
      else if (sizeOf(znode) <= MAX_SIZE) left.push(znode)
    }
    yield* Effect.forEach(groupsOf(left), (group) => readGroup(zk, group, add), {
      concurrency: "unbounded",
      discard: true
    })
    return found
  })
}

/** Visits the znodes that were read, and at the same time each of the others by itself. */
export const visitRead = <A, E, R>(
  paths: ReadonlyArray<string>,
  found: ReadonlyMap<string, ReadZnode>,
  visitOf: (read: ReadZnode) => Visit<A>,
  visit: (path: string) => Effect.Effect<Visit<A> | undefined, E, R>
): Effect.Effect<ReadonlyArray<Visit<A> | undefined>, E, R> => {
  // A fiber costs more than the visit of a znode that was read.
  const visits = paths.map((path) => {
    const read = found.get(path)
    return read === undefined ? undefined : visitOf(read)
  })
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

/** Fewer take no less time together. */
const MIN_ZNODES = 16

/** The most znodes in a request. */
const MAX_ZNODES = 64

/** The size of the replies, in bytes: a small part of the reply that a client allows by default. */
const MAX_SIZE = 262_144

/** The assumed size of the name of a child, in bytes. */
const NAME_SIZE = 64

interface Looked extends AclAndStat {
  readonly path: string
}

const lookAt = (zk: LiveReader, path: string): Effect.Effect<Looked | undefined> =>
  zk.getAcl(path).pipe(
    Effect.map(({ acl, stat }) => ({ path, acl, stat })),
    Effect.orElseSucceed(() => undefined)
  )

const sizeOf = ({ stat }: Looked): number => stat.dataLength + stat.numChildren * NAME_SIZE

const groupsOf = (znodes: ReadonlyArray<Looked>): ReadonlyArray<ReadonlyArray<Looked>> => {
  const groups: Array<Array<Looked>> = []
  let size = Number.POSITIVE_INFINITY
  for (const znode of znodes) {
    size += sizeOf(znode)
    const last = groups.at(-1)
    if (last === undefined || last.length >= MAX_ZNODES || size > MAX_SIZE) {
      groups.push([znode])
      size = sizeOf(znode)
    } else last.push(znode)
  }
  return groups
}

/**
 * The names of the children come without a Stat. They are read between the ACL and the data: if the Stats of these two are
 * the same, no child has come or gone.
 */
const readGroup = (
  zk: LiveReader,
  group: ReadonlyArray<Looked>,
  add: (znode: Looked, data: Uint8Array, children: ReadonlyArray<string>) => void
): Effect.Effect<void> => {
  const parents = group.filter(({ stat }) => stat.numChildren > 0)
  const ops = [...parents.map(({ path }) => Op.getChildren(path)), ...group.map(({ path }) => Op.get(path))]
  return zk.read(ops).pipe(
    Effect.map((results) => {
      const names = new Map<Looked, ReadonlyArray<string>>()
      for (const [index, result] of results.entries()) {
        if (Result.isFailure(result)) continue
        const value = result.success
        if (!("stat" in value)) {
          const parent = parents[index]
          if (parent !== undefined) names.set(parent, value)
          continue
        }
        const znode = group[index - parents.length]
        if (znode === undefined || fingerprintOf(value.stat) !== fingerprintOf(znode.stat)) continue
        const children = names.get(znode) ?? (value.stat.numChildren === 0 ? [] : undefined)
        if (children !== undefined) add(znode, value.data, children)
      }
    }),
    Effect.ignore
  )
}
