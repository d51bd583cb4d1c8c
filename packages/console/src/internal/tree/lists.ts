/** Lists of children that are larger than a reply may be. */
import type { FrameTooLarge, ReadError } from "@effect-zookeeper/client/Errors"
import type { Service } from "@effect-zookeeper/client/Service"
import type { Reads } from "@effect-zookeeper/client/TreeWalk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * The reads of a session, which remember the znodes whose lists were too large: such a reply costs the connection, and all that
 * pages look at is read again with the next one. They are asked for again when they have clearly fewer children.
 */
export const makeReads = (zk: Service): Reads => {
  const known = new Map<string, { readonly children: number; readonly error: FrameTooLarge }>()
  const remember = (path: string, error: FrameTooLarge): Effect.Effect<void, ReadError> =>
    Effect.map(zk.stat(path), (stat) => {
      if (Option.isSome(stat)) known.set(path, { children: stat.value.numChildren, error })
    })
  const ask = (path: string) =>
    Effect.tapErrorTag(zk.getChildrenWithStat(path), "FrameTooLarge", (error) => remember(path, error))
  return {
    stat: zk.stat,
    read: zk.read,
    getChildrenWithStat: (path) =>
      Effect.suspend(() => {
        const before = known.get(path)
        if (before === undefined) return ask(path)
        return Effect.flatMap(zk.stat(path), (stat) => {
          const isStill = Option.isSome(stat) && stat.value.numChildren >= before.children * clearlyFewer
          if (isStill) return Effect.fail(before.error)
          known.delete(path)
          return ask(path)
        })
      })
  }
}

// ---- internal

const clearlyFewer = 0.9
