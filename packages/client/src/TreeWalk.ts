/**
 * A walk over a subtree: each znode once, parents before children, siblings in the order of their names.
 *
 * It asks for many znodes at a time, and keeps only the names that are still to be visited, so that a subtree of any size
 * can be walked.
 *
 * @since 0.1.0
 */
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ReadError } from "./Errors.ts"
import { type Entry, noSiblings, type Reads, type Visited, Visitor } from "./internal/operations/visit.ts"
import * as ZnodePath from "./ZnodePath.ts"

export type { Reads, Visited } from "./internal/operations/visit.ts"

/**
 * Options of {@link walk}.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** How deep to go: 0 visits the first znode only. Default: to the end. */
  readonly maxDepth?: number | undefined
  /** The most requests at a time, at least 1. Default 256. */
  readonly concurrency?: number | undefined
  /**
   * Whether many children of a znode are read in one request. Default: no. It takes servers a fraction of the time, and needs
   * ZooKeeper 3.6: an older server closes the connection once, and then each read is a request of its own.
   *
   * Such a request reads the data too. So the children of a znode are read one by one if the first of them have more than
   * 4 KiB. If others have so much that the reply is larger than `maxFrameSize`, the connection is lost once, and the walk
   * goes on one by one. On a view of `trackVersions` it counts as a read of the data.
   */
  readonly multiRead?: boolean | undefined
  /**
   * Whether to go on where the list of a znode's children is larger than `maxFrameSize`: the znode is handed on without children
   * and with `isTooLarge`. Default: no, and the walk fails with `FrameTooLarge`. The connection is lost once for each such znode.
   */
  readonly skipTooLarge?: boolean | undefined
  /** Whether to go on below a znode, asked once, maybe before the znode is handed on. Default: yes. It is visited anyway. */
  readonly descend?: ((znode: Visited) => boolean) | undefined
}

/**
 * Walks the subtree of a path.
 *
 * The walk is no snapshot: a znode that is deleted meanwhile is left out, one that is created may be left out. It fails
 * with `NoNode` if the first znode does not exist. A znode whose ACL forbids to read it is handed on with `isForbidden`, and
 * without a stat where servers keep that back too. It costs one request for each znode, and fewer with `multiRead`.
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
 *   return yield* TreeWalk.walk(zk, "/app").pipe(Stream.runFold(() => 0, (sum, { stat }) => sum + (stat?.dataLength ?? 0)))
 * })
 * ```
 *
 * @category walks
 * @since 0.1.0
 */
export const walk = (zk: Reads, path: string, options: Options = {}): Stream.Stream<Visited, ReadError> => {
  const mistake = KnownOptions.check(known, options)
  if (mistake !== undefined) return Stream.fail(mistake)
  const { concurrency = 256, descend = () => true, maxDepth = Number.POSITIVE_INFINITY } = options
  const { multiRead = false, skipTooLarge = false } = options
  const requests = concurrency >= 1 ? Math.floor(concurrency) : 1
  const atOnce = multiRead ? requests * 4 : requests
  return Stream.suspend(() => {
    const visitor = new Visitor(zk, requests, multiRead, skipTooLarge)
    /** The next znode is at the end. */
    const stack: Array<Entry> = []
    const push = (path: string, depth: number, isLast: boolean, siblings = noSiblings()): void => {
      stack.push({ path, depth, isLast, siblings, visited: undefined, isOpen: false })
    }
    /** Puts the children of a visited znode on the stack, once. */
    const open = (entry: Entry, visited: Visited): void => {
      if (entry.isOpen) return
      entry.isOpen = true
      const { children, depth, path } = visited
      if (depth >= maxDepth || !descend(visited)) return
      const siblings = noSiblings()
      for (let index = children.length - 1; index >= 0; index--) {
        const child = ZnodePath.join(path, children[index] ?? "")
        push(child, depth + 1, index === children.length - 1, siblings)
      }
    }
    const step = Effect.gen(function* () {
      // Below znodes that were visited and not handed on yet it looks ahead, so far that memory has its bounds.
      const ahead: Array<Entry> = []
      const unvisited: Array<Entry> = []
      while (unvisited.length < atOnce && ahead.length < atOnce * 4) {
        const entry = stack.pop()
        if (entry === undefined) break
        ahead.push(entry)
        if (entry.visited === undefined) unvisited.push(entry)
        else open(entry, entry.visited)
      }
      yield* visitor.visit(unvisited)
      // The children of a znode that was visited now come before those that are behind it.
      const end = ahead.findIndex(
        ({ isOpen, visited }) => visited !== undefined && !isOpen && visited.children.length > 0
      )
      const done = end === -1 ? ahead : ahead.splice(0, end + 1)
      if (end !== -1) for (const entry of ahead.toReversed()) if (entry.visited !== undefined) stack.push(entry)
      const found: Array<Visited> = []
      for (const entry of done) {
        if (entry.visited === undefined) continue
        found.push(entry.visited)
        open(entry, entry.visited)
      }
      return [found, stack.length === 0 ? Option.none<void>() : Option.some<void>(undefined)] as const
    })
    push(path, 0, true)
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
  /** The bytes of their data, as far as their stats may be read. */
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
        const length = stat?.dataLength ?? 0
        const done = closeFrom(open, depth)
        const kept = open[open.length - 1]
        if (depth <= maxDepth) open.push({ path, depth, znodes: 1, bytes: length })
        else if (kept !== undefined) {
          kept.znodes++
          kept.bytes += length
        }
        return [open, done] as const
      },
      { onHalt: (open) => closeFrom(open, 0) }
    )

// ---- internal

const known = KnownOptions.make<Options>(
  { maxDepth: true, concurrency: true, multiRead: true, skipTooLarge: true, descend: true },
  "{ maxDepth: 1 }"
)

interface Running {
  readonly path: string
  readonly depth: number
  znodes: number
  bytes: number
}

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
