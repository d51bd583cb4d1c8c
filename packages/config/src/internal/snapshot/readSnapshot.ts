/**
 * Reads a sub-tree until two walks in one session agree.
 *
 * The second walk asks for the Stat of each znode alone, and reads again only what differs. When nothing differs, each znode
 * was unchanged from its first look to its second, and the moment between the two walks lies in all of these times.
 */
import { withJson } from "@effect-zookeeper/client/Json"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { NoNode } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { type ReadError, type Snapshot, TreeTooLarge, TreeUnsettled, type Znode } from "./model.ts"

export interface Limits {
  readonly maxNodes: number
  readonly attempts: number
}

/**
 * Reads the sub-tree as it was at one moment. What `before` has, and has not changed since, is not read again. A `before` of
 * another session does no harm: both walks are made in this one.
 */
export const readSnapshot = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  path: string,
  { attempts, maxNodes }: Limits,
  before?: Snapshot
): Effect.fn.Return<Snapshot, ReadError> {
  let known: ReadonlyMap<string, Znode> = before?.znodes ?? new Map<string, Znode>()
  // The session in which all of `known` was seen; none before the first walk.
  let seenIn: SessionIdentity | undefined
  for (let attempt = 0; attempt <= attempts; attempt++) {
    if (attempt > settledAfter) yield* Effect.sleep((yield* Random.next) * longestPause)
    const session = identityOf(zk)
    const walk: Walk = { zk, root: path, known, maxNodes, looked: new Map(), seen: new Map(), hasChanged: false }
    yield* lookAtKnown(walk)
    yield* visit(walk, path)
    const isOneSession = isSame(session, identityOf(zk))
    // A root that is not there is a state as a whole.
    const isProved = walk.seen.size === 0 || (!walk.hasChanged && seenIn !== undefined && isSame(seenIn, session))
    if (isOneSession && isProved) return toSnapshot(path, walk.seen)
    known = walk.seen
    seenIn = isOneSession ? session : undefined
  }
  return yield* new TreeUnsettled({ path, attempts })
})

// ---- internal

/** So many walks follow each other at once. */
const settledAfter = 5

/** Milliseconds. */
const longestPause = 50

/** Requests that are on their way at once, for each level of the tree. */
const concurrency = 64

/** A session sees no older state after a newer one, unless its ensemble has lost its history. */
interface SessionIdentity {
  readonly id: bigint
  readonly history: number
}

const identityOf = ({ session }: ZooKeeper.Service): SessionIdentity => ({ id: session.id, history: session.history })

const isSame = (a: SessionIdentity, b: SessionIdentity): boolean => a.id === b.id && a.history === b.history

interface Walk {
  readonly zk: ZooKeeper.Service
  readonly root: string
  readonly known: ReadonlyMap<string, Znode>
  readonly maxNodes: number
  /** The known znodes, as this walk has found them. */
  readonly looked: Map<string, Znode | undefined>
  readonly seen: Map<string, Znode>
  /** Whether something differs from what was known. */
  hasChanged: boolean
}

/** All at once, and not level by level: the shorter a walk is, the less changes in it. */
const lookAtKnown = (walk: Walk): Effect.Effect<void, ReadError> =>
  Effect.forEach(
    walk.known,
    ([path, znode]) => Effect.map(lookAgain(walk, path, znode), (now) => walk.looked.set(path, now)),
    { concurrency: 256, discard: true }
  )

const visit = (walk: Walk, path: string): Effect.Effect<void, ReadError> =>
  Effect.gen(function* () {
    const znode = walk.looked.has(path) ? walk.looked.get(path) : yield* readAnew(walk, path)
    if (znode === undefined) return
    if (walk.seen.size >= walk.maxNodes) return yield* new TreeTooLarge({ path: walk.root, maxNodes: walk.maxNodes })
    walk.seen.set(path, znode)
    yield* Effect.forEach(znode.children, (name) => visit(walk, ZnodePath.join(path, name)), {
      concurrency,
      discard: true
    })
  })

/** The znode as it is now; undefined if there is none. */
const lookAgain = (walk: Walk, path: string, known: Znode): Effect.Effect<Znode | undefined, ReadError> =>
  Effect.flatMap(Outcome.retryAcrossSessions(walk.zk.session, walk.zk.stat(path)), (stat) => {
    if (Option.isSome(stat) && isUnchanged(known, stat.value)) return Effect.succeed(known)
    return readAnew(walk, path, known)
  })

const isUnchanged = (znode: Znode, stat: ZooKeeper.Stat): boolean =>
  znode.czxid === stat.czxid &&
  znode.mzxid === stat.mzxid &&
  znode.pzxid === stat.pzxid &&
  znode.cversion === stat.cversion

const readAnew = (walk: Walk, path: string, known?: Znode): Effect.Effect<Znode | undefined, ReadError> => {
  walk.hasChanged = true
  return Effect.catchTag(
    Outcome.retryAcrossSessions(walk.zk.session, read(walk, path, known)),
    "NoNode",
    () => Effect.undefined
  )
}

/** The data and the list of children may be of two moments: the next walk finds out. */
const read = ({ root, zk }: Walk, path: string, known: Znode | undefined): Effect.Effect<Znode, ReadError | NoNode> =>
  Effect.gen(function* () {
    const listing = zk.getChildrenWithStat(path)
    // A znode that had children is likely to have some, so that its list is not waited for.
    const [{ data, stat }, early] =
      known === undefined || known.children.length === 0
        ? [yield* zk.get(path), undefined]
        : yield* Effect.all([zk.get(path), listing], { concurrency: 2 })
    const list = early ?? (stat.numChildren === 0 ? { children: [], stat } : yield* listing)
    const children = path === "/" && root === "/" ? list.children.filter((name) => name !== "zookeeper") : list.children
    const { czxid, mzxid } = stat
    return withJson({ data, children, czxid, mzxid, pzxid: list.stat.pzxid, cversion: list.stat.cversion })
  })

/** Parents first, in the order of names, whatever the order of the replies. */
const toSnapshot = (path: string, seen: ReadonlyMap<string, Znode>): Snapshot => {
  const znodes = new Map<string, Znode>()
  let zxid = 0n
  const add = (at: string) => {
    const znode = seen.get(at)
    if (znode === undefined) return
    znodes.set(at, znode)
    for (const number of [znode.czxid, znode.mzxid, znode.pzxid]) if (number > zxid) zxid = number
    for (const name of znode.children.toSorted()) add(ZnodePath.join(at, name))
  }
  add(path)
  return withJson({ path, znodes, zxid })
}
