/** A walk over a subtree, parents before their children, with many requests at a time. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** How many znodes are asked for at a time by default. */
export const CONCURRENCY = 256

/** A visited znode: what the walk gives of it, if anything, and the names of the children that are visited next. */
export interface Visit<A> {
  readonly value: A | undefined
  readonly children: ReadonlyArray<string>
}

/** Each array has the znodes that were visited at a time. A visit that gives undefined found no znode. */
export const walk = <A, E, R>(
  root: string,
  visit: (path: string) => Effect.Effect<Visit<A> | undefined, E, R>,
  concurrency = CONCURRENCY
): Stream.Stream<ReadonlyArray<A>, E, R> =>
  Stream.suspend(() => {
    const left = [root]
    const step = Effect.gen(function* () {
      const paths = left.splice(-concurrency)
      const visits = yield* Effect.forEach(paths, visit, { concurrency: "unbounded" })
      const values: Array<A> = []
      for (const [index, found] of visits.entries()) {
        if (found === undefined) continue
        if (found.value !== undefined) values.push(found.value)
        for (const child of found.children) {
          const path = ZnodePath.join(paths[index] ?? root, child)
          if (!isExcluded(root, path)) left.push(path)
        }
      }
      return [[values], left.length === 0 ? Option.none<void>() : Option.some<void>(undefined)] as const
    })
    return Stream.paginate<void, ReadonlyArray<A>, E, R>(undefined, () => step)
  })

/** The servers' own znodes are no part of a tree, unless it begins there. */
export const isExcluded = (root: string, path: string): boolean =>
  root === "/" && (path === "/zookeeper" || path.startsWith("/zookeeper/"))
