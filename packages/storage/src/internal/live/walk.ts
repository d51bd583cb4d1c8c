/** A walk over a subtree, parents before their children, with many requests at a time. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { AclReaders, Entry } from "./model.ts"

/** How many znodes are asked for at a time by default. */
export const CONCURRENCY = 256

/** The most of them by default where several clients ask, each of which has a part of them on its way. */
const SHARED_CONCURRENCY = 1024

/** More than `CONCURRENCY` are asked for only as long as the data of all of them has no more bytes than this. */
const MAX_DATA = 67_108_864

export const concurrencyOf = ({
  aclReaders = [],
  concurrency = aclReaders.length > 0 ? SHARED_CONCURRENCY : CONCURRENCY
}: AclReaders & { readonly concurrency?: number | undefined }): number => concurrency

/** A visited znode: what the walk gives of it, if anything, and the names of the children that are visited next. */
export interface Visit<A> {
  readonly value: A | undefined
  readonly children: ReadonlyArray<string>
}

/** Visits znodes at the same time. A visit that is undefined found no znode. */
export type VisitAll<A, E, R> = (
  paths: ReadonlyArray<string>
) => Effect.Effect<ReadonlyArray<Visit<A> | undefined>, E, R>

/** The size of what a walk has of a znode. */
export const bytesOf = ({ znode }: Entry): number => znode.data?.length ?? 0

/**
 * Each array has the znodes that were visited at a time. The next ones are asked for before those of a step are taken: the
 * servers answer while the client works on what it has. All of them together are no more than `concurrency`, and fewer where those
 * of the step before were large.
 */
export const walk = <A, E, R>(
  root: string,
  visitAll: VisitAll<A, E, R>,
  concurrency: number,
  sizeOf: (value: A) => number
): Stream.Stream<ReadonlyArray<A>, E, R> =>
  Stream.unwrap(
    Effect.map(Effect.scope, (scope) => {
      const left = [root]
      const size = Math.min(concurrency, STEP)
      const steps: Array<Effect.Effect<ReadonlyArray<A>, E>> = []
      let limit = Math.min(concurrency, CONCURRENCY)
      const begin = Effect.gen(function* () {
        const paths = left.splice(-size)
        const visits = yield* Effect.forkIn(visitAll(paths), scope, { startImmediately: true })
        return Effect.map(Fiber.join(visits), (visits) => {
          const values: Array<A> = []
          for (const [index, found] of visits.entries()) {
            if (found === undefined) continue
            if (found.value !== undefined) values.push(found.value)
            for (const child of found.children) {
              const path = ZnodePath.join(paths[index] ?? root, child)
              if (!isExcluded(root, path)) left.push(path)
            }
          }
          return values
        })
      })
      const step = Effect.gen(function* () {
        while (left.length > 0 && (steps.length + 1) * size <= limit) steps.push(yield* begin)
        const values = yield* steps.shift() ?? Effect.succeed([])
        // A step more at a time: a few small znodes tell little of those that follow.
        limit = Math.min(limit + size, limitOf(values, concurrency, sizeOf))
        const isLast = left.length === 0 && steps.length === 0
        return [[values], isLast ? Option.none<void>() : Option.some<void>(undefined)] as const
      })
      return Stream.paginate<void, ReadonlyArray<A>, E, R>(undefined, () => step)
    })
  )

/** How many may be asked for at a time, going by the size of these. */
const limitOf = <A>(values: ReadonlyArray<A>, concurrency: number, sizeOf: (value: A) => number): number => {
  let bytes = 0
  for (const value of values) bytes += sizeOf(value)
  const fitting = bytes === 0 ? concurrency : Math.floor((MAX_DATA * values.length) / bytes)
  return Math.min(concurrency, Math.max(CONCURRENCY, fitting))
}

/** The most znodes of a step. */
export const STEP = 128

/** The servers' own znodes are no part of a tree, unless it begins there. */
export const isExcluded = (root: string, path: string): boolean =>
  root === "/" && (path === "/zookeeper" || path.startsWith("/zookeeper/"))
