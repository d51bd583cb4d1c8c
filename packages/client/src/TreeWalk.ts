/**
 * A walk over a subtree: each znode once, parents before children, siblings in the order of their names.
 *
 * It asks for many znodes at a time, and keeps only the names that are still to be visited, so that a subtree of any size
 * can be walked.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ReadError } from "./Errors.ts"
import { NoNode } from "./Errors.ts"
import type { Stat } from "./Models.ts"
import type { Service } from "./Service.ts"
import * as ZnodePath from "./ZnodePath.ts"

/**
 * A znode on the walk.
 *
 * @category models
 * @since 0.1.0
 */
export interface Visited {
  readonly path: string
  /** 0 for the znode where the walk began. */
  readonly depth: number
  readonly stat: Stat
  /** Sorted. Empty where the ACL forbids to read them. */
  readonly children: ReadonlyArray<string>
  /** Whether the ACL forbids to read the children, so that the walk does not go on below. */
  readonly isForbidden: boolean
  /** Whether it is the last of its siblings. */
  readonly isLast: boolean
}

/**
 * Options of {@link walk}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** How deep to go: 0 visits the first znode only. Default: to the end. */
  readonly maxDepth?: number | undefined
  /** The most requests at a time. Default 256. */
  readonly concurrency?: number | undefined
  /** Whether to go on below a znode. Default: yes. The znode itself is visited anyway. */
  readonly descend?: ((znode: Visited) => boolean) | undefined
}

/**
 * Walks the subtree of a path.
 *
 * The walk is no snapshot: a znode that is deleted meanwhile is left out, one that is created may be left out. It fails
 * with `NoNode` if the first znode does not exist. It costs one request for each znode.
 *
 * @example
 * ```ts
 * import * as TreeWalk from "@effect-zookeeper/client/TreeWalk"
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const bytes = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   return yield* TreeWalk.walk(zk, "/app").pipe(Stream.runFold(() => 0, (sum, { stat }) => sum + stat.dataLength))
 * })
 * ```
 *
 * @category walks
 * @since 0.1.0
 */
export const walk = (
  zk: Pick<Service, "getChildrenWithStat" | "stat">,
  path: string,
  options: Options = {}
): Stream.Stream<Visited, ReadError> => {
  const { concurrency = 256, descend = () => true, maxDepth = Number.POSITIVE_INFINITY } = options
  return Stream.suspend(() => {
    /** The next znode is at the end. */
    const stack: Array<Pending | Visited> = [{ path, depth: 0, isLast: true }]
    const step = Effect.gen(function* () {
      yield* visitNext(zk, stack, concurrency)
      const found: Array<Visited> = []
      // A list that is long enough is handed on before more names are kept.
      while (found.length < 1024) {
        const next = stack.pop()
        if (next === undefined) break
        if (!isVisited(next)) {
          stack.push(next)
          break
        }
        found.push(next)
        if (next.depth >= maxDepth || !descend(next)) continue
        for (let index = next.children.length - 1; index >= 0; index--) {
          const child = ZnodePath.join(next.path, next.children[index] ?? "")
          stack.push({ path: child, depth: next.depth + 1, isLast: index === next.children.length - 1 })
        }
      }
      return [found, stack.length === 0 ? Option.none<void>() : Option.some<void>(undefined)] as const
    })
    return Stream.paginate<void, Visited, ReadError>(undefined, () => step)
  })
}

/**
 * The totals of one subtree.
 *
 * @category models
 * @since 0.1.0
 */
export interface Total {
  readonly path: string
  readonly depth: number
  /** The znodes of the subtree, with its root. */
  readonly znodes: number
  /** The bytes of their data. */
  readonly bytes: number
}

/**
 * The totals of the subtrees down to `maxDepth` (default 1), children before their parents: the last one is that of the
 * whole walk.
 *
 * @category walks
 * @since 0.1.0
 */
export const totals =
  (maxDepth = 1) =>
  <E, R>(znodes: Stream.Stream<Visited, E, R>): Stream.Stream<Total, E, R> =>
    Stream.mapAccum(
      znodes,
      (): Array<Running> => [],
      (open, { depth, path, stat }) => {
        const done = closeFrom(open, depth)
        const kept = open[open.length - 1]
        if (depth <= maxDepth) open.push({ path, depth, znodes: 1, bytes: stat.dataLength })
        else if (kept !== undefined) {
          kept.znodes++
          kept.bytes += stat.dataLength
        }
        return [open, done] as const
      },
      { onHalt: (open) => closeFrom(open, 0) }
    )

// ---- internal

interface Pending {
  readonly path: string
  readonly depth: number
  readonly isLast: boolean
}

interface Running {
  readonly path: string
  readonly depth: number
  znodes: number
  bytes: number
}

const isVisited = (entry: Pending | Visited): entry is Visited => "stat" in entry

/** Visits the last entries of the stack, side by side, where the very last one is not visited yet. */
const visitNext = Effect.fnUntraced(function* (
  zk: Pick<Service, "getChildrenWithStat" | "stat">,
  stack: Array<Pending | Visited>,
  concurrency: number
) {
  const batch: Array<Pending> = []
  let start = stack.length
  while (start > 0 && batch.length < concurrency) {
    const entry = stack[start - 1]
    if (entry === undefined || isVisited(entry)) break
    batch.push(entry)
    start--
  }
  if (batch.length === 0) return
  batch.reverse()
  const visited = yield* Effect.forEach(batch, (entry) => visit(zk, entry), { concurrency: "unbounded" })
  stack.length = start
  for (const entry of visited) {
    if (entry !== undefined) stack.push(entry)
  }
})

const visit = (
  zk: Pick<Service, "getChildrenWithStat" | "stat">,
  entry: Pending
): Effect.Effect<Visited | undefined, ReadError> =>
  zk.getChildrenWithStat(entry.path).pipe(
    Effect.map(({ children, stat }): Visited => ({
      ...entry,
      stat,
      children: children.toSorted(byCodeUnits),
      isForbidden: false
    })),
    // To look at a stat needs no permission.
    Effect.catchTag("NoAuth", () =>
      Effect.flatMap(zk.stat(entry.path), (found) =>
        Option.isNone(found)
          ? Effect.fail(new NoNode({ path: entry.path, operation: "exists" }))
          : Effect.succeed<Visited>({ ...entry, stat: found.value, children: [], isForbidden: true })
      )
    ),
    Effect.catchIf(
      (error) => error._tag === "NoNode" && entry.depth > 0,
      () => Effect.succeed(undefined)
    )
  )

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Ends the subtrees at this depth and below, and adds each to its parent. */
const closeFrom = (open: Array<Running>, depth: number): ReadonlyArray<Total> => {
  const done: Array<Total> = []
  while (true) {
    const last = open[open.length - 1]
    if (last === undefined || last.depth < depth) return done
    open.pop()
    const parent = open[open.length - 1]
    if (parent !== undefined) {
      parent.znodes += last.znodes
      parent.bytes += last.bytes
    }
    done.push(last)
  }
}
