/** The locks, elections, semaphores and leases of a subtree, with their holders and waiters. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Output from "../../Output.ts"
import type { Visited } from "../../TreeWalk.ts"
import { decodeUtf8 } from "../../ZnodeData.ts"
import type { Reader } from "../frame/Client.ts"

export type Contention = typeof Output.Contention.Type

/** The contentions among the znodes of a walk. Znodes that look like contenders and are not ephemeral are left out. */
export const contentions =
  (zk: Reader) =>
  <E>(znodes: Stream.Stream<Visited, E>): Stream.Stream<Contention, E | ReadError> => {
    /** Parts of semaphores that were read already. */
    const parts = new Set<string>()
    return znodes.pipe(
      Stream.mapEffect((znode) => (parts.delete(znode.path) ? Effect.succeed([]) : inspect(zk, znode, parts))),
      Stream.flattenIterable
    )
  }

/** Whether a child of a semaphore of kazoo is one of its permits, by its name. */
export const isKazooLease = (name: string): boolean => /^[0-9a-f]{32}$/.test(name)

// ---- internal

type Contender = Contention["contenders"][number]

/** A contender before its turn is known. */
type Seen = Omit<Contender, "state">

const inspect = Effect.fnUntraced(function* (
  zk: Reader,
  { children, path }: Visited,
  parts: Set<string>
): Effect.fn.Return<ReadonlyArray<Contention>, ReadError> {
  const found: Array<Contention> = []
  if (children.includes("leases") && children.includes("locks")) {
    const semaphore = yield* inspectSemaphore(zk, path)
    if (semaphore !== undefined) {
      parts.add(ZnodePath.join(path, "leases")).add(ZnodePath.join(path, "locks"))
      found.push(semaphore)
    }
  }
  const kazooLeases = children.filter(isKazooLease)
  if (kazooLeases.length > 0) {
    const semaphore = yield* inspectKazooSemaphore(zk, path, kazooLeases)
    if (semaphore !== undefined) {
      parts.add(kazooLocks(path))
      found.push(semaphore)
    }
  }
  const slots = children.filter((name) => leaseSlot.test(name))
  if (slots.length > 0) {
    const leases = yield* inspectLeases(zk, path, slots)
    if (leases !== undefined) found.push(leases)
  }
  const seen = yield* readContenders(zk, path, Layouts.contenders(children))
  if (seen.length > 0) found.push({ path, recipe: recipeOf(seen), contenders: withTurns(seen) })
  return found
})

const recipeOf = (seen: ReadonlyArray<Seen>): Contention["recipe"] => {
  const kinds = new Set(seen.map(({ kind }) => kind))
  if (kinds.has("read") || kinds.has("write")) return "readWriteLock"
  if (kinds.has("candidate")) return "election"
  return kinds.has("lease") ? "semaphore" : "lock"
}

/** Readers hold together until the first writer; leases without a known limit all hold; of others the first one holds. */
const withTurns = (seen: ReadonlyArray<Seen>): ReadonlyArray<Contender> => {
  let hasWriter = false
  return seen.map((contender, index) => {
    const { kind } = contender
    const holds = kind === "lease" || (kind === "read" ? !hasWriter : index === 0)
    if (kind !== "read") hasWriter = true
    return holds ? toHolder(contender) : toWaiter(contender)
  })
}

const toHolder = (contender: Seen): Contender => ({ ...contender, state: "holds" })
const toWaiter = (contender: Seen): Contender => ({ ...contender, state: "waits" })

// -----------------------------------------------------------------------------
// semaphores
// -----------------------------------------------------------------------------

/**
 * The layout of Curator and of this library: those who want a permit take turns by a lock, and the one whose turn it is
 * waits with a lease among the leases. This library writes the number of permits into the parent of the leases.
 */
const inspectSemaphore = Effect.fnUntraced(function* (zk: Reader, path: string) {
  const at = { leases: ZnodePath.join(path, "leases"), locks: ZnodePath.join(path, "locks") }
  const list = (parent: string) => orNothing(zk.getChildren(parent), [])
  const [names, lockNames] = yield* Effect.all([list(at.leases), list(at.locks)])
  const leases = yield* readContenders(
    zk,
    at.leases,
    Layouts.contenders(names).filter(({ kind }) => kind === "lease")
  )
  const locks = yield* readContenders(
    zk,
    at.locks,
    Layouts.contenders(lockNames).filter(({ kind }) => kind === "lock")
  )
  if (leases.length + locks.length === 0) return undefined
  const permits = parseCount(yield* orNothing(zk.getData(at.leases), new Uint8Array()))
  const next = locks[0]?.session
  const newest = leases.at(-1)
  /** Without a number: the newest lease of the one whose turn it is. */
  const isWaiting = (lease: Seen, index: number): boolean =>
    permits === undefined ? lease === newest && lease.session === next : index >= permits
  const holders = leases.map((lease, index) => (isWaiting(lease, index) ? toWaiter(lease) : toHolder(lease)))
  const hasLease = holders.some(({ session, state }) => state === "waits" && session === next)
  const waiting = locks.slice(hasLease ? 1 : 0).map(toWaiter)
  return makeSemaphore(path, permits, [...holders, ...waiting])
})

const makeSemaphore = (
  path: string,
  permits: number | undefined,
  contenders: ReadonlyArray<Contender>
): Contention => ({ path, recipe: "semaphore", ...(permits === undefined ? {} : { permits }), contenders })

/** The names of leases have no number, and that of permits is in the parent. */
const inspectKazooSemaphore = Effect.fnUntraced(function* (
  zk: Reader,
  path: string,
  leaseNames: ReadonlyArray<string>
) {
  const permits = parseCount(yield* orNothing(zk.getData(path), new Uint8Array()))
  if (permits === undefined) return undefined
  const names = leaseNames.map((name) => ({ name, kind: "lease" as const, layout: "kazoo" as const }))
  const leases = yield* readContenders(zk, path, names)
  const locks = kazooLocks(path)
  const waiting = yield* readContenders(zk, locks, Layouts.contenders(yield* orNothing(zk.getChildren(locks), [])))
  if (leases.length + waiting.length === 0) return undefined
  return makeSemaphore(path, permits, [
    ...leases.toSorted((a, b) => Number(a.czxid - b.czxid)).map(toHolder),
    ...waiting.map(toWaiter)
  ])
})

// -----------------------------------------------------------------------------
// leases
// -----------------------------------------------------------------------------

/** A lease that is over stays in its slot until another is taken. It is over by the clock of the servers, roughly ours. */
const inspectLeases = Effect.fnUntraced(function* (zk: Reader, path: string, slots: ReadonlyArray<string>) {
  const now = yield* Clock.currentTimeMillis
  const read = (name: string) => {
    const slot = ZnodePath.join(path, name)
    return zk.get(slot).pipe(
      Effect.map(({ data, stat }): ReadonlyArray<Contender> => {
        const holder = Layouts.leaseHolder(data)
        if (holder === undefined || stat.mtime + holder.duration <= now) return []
        const { duration, identifier } = holder
        const { czxid, mtime: since } = stat
        return [{ path: slot, state: "holds", kind: "lease", identifier, since, until: since + duration, czxid }]
      }),
      (reading) => orNothing(reading, [])
    )
  }
  const contenders = (yield* Effect.forEach(slots, read, { concurrency: 64 })).flat()
  return contenders.length === 0
    ? undefined
    : ({ path, recipe: "lease", permits: slots.length, contenders } satisfies Contention)
})

const leaseSlot = /^lease-\d{1,9}$/

const kazooLocks = (path: string): string => `${path}-__lock__`

const parseCount = (data: Uint8Array): number | undefined => {
  const text = decodeUtf8(data) ?? ""
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}

// -----------------------------------------------------------------------------
// contenders
// -----------------------------------------------------------------------------

const readContenders = (zk: Reader, parent: string, contenders: ReadonlyArray<Omit<Layouts.Contender, "sequence">>) =>
  Effect.map(
    Effect.forEach(contenders, (contender) => readContender(zk, parent, contender), { concurrency: 64 }),
    (seen) => seen.filter((contender) => contender !== undefined)
  )

/** Undefined for a znode that is gone, or that does not contend. */
const readContender = Effect.fnUntraced(function* (
  zk: Reader,
  parent: string,
  { kind, layout, name }: Omit<Layouts.Contender, "sequence">
): Effect.fn.Return<Seen | undefined, ReadError> {
  const path = ZnodePath.join(parent, name)
  const found = yield* zk.get(path).pipe(
    Effect.map(({ data, stat }) => ({ stat, identifier: decodeUtf8(data) })),
    // Servers before 3.8.4 and 3.9.2 tell the stat to everybody. Newer ones tell nothing of such a contender.
    Effect.catchTag("NoAuth", () =>
      Effect.map(zk.stat(path), (stat) =>
        Option.isNone(stat) ? undefined : { stat: stat.value, identifier: undefined }
      )
    ),
    Effect.catchTags({ NoNode: () => Effect.undefined, NoAuth: () => Effect.undefined })
  )
  if (found === undefined || found.stat.ephemeralOwner === 0n) return undefined
  const { ctime, czxid, ephemeralOwner } = found.stat
  const identifier = found.identifier === undefined ? {} : { identifier: found.identifier }
  return { path, kind, layout, ...identifier, session: ephemeralOwner, since: ctime, czxid }
})

const orNothing = <A>(read: Effect.Effect<A, ReadError>, nothing: A): Effect.Effect<A, ReadError> =>
  Effect.catchTags(read, { NoNode: () => Effect.succeed(nothing), NoAuth: () => Effect.succeed(nothing) })
