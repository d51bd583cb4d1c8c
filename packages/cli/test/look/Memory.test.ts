/** The znodes that a walk keeps in memory: `find` and `du` go through trees of any size. */
import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TreeWalk from "../../src/TreeWalk.ts"

const names = (length: number) => Array.from({ length }, (_, name) => String(name))

/** Totals of so many subtrees of 1,111 znodes, and how many znodes were known at most and not handed on yet. */
const walk = (subtrees: number) =>
  Effect.gen(function* () {
    let waiting = 1
    let most = 0
    const reads: TreeWalk.Reads = {
      stat: () => Effect.die("not asked"),
      read: () => Effect.die("not asked"),
      getChildrenWithStat: (path) =>
        Effect.sync(() => {
          const depth = path.split("/").length - 2
          const children = names(depth === 0 ? subtrees : depth < 4 ? 10 : 0)
          waiting += children.length
          most = Math.max(most, waiting)
          return { children, stat: { ...stat, dataLength: 1, numChildren: children.length } }
        })
    }
    const totals = yield* TreeWalk.walk(reads, "/app", { concurrency: 16 }).pipe(
      Stream.tap(() => Effect.sync(() => waiting--)),
      TreeWalk.totals(1),
      Stream.runCollect
    )
    return { znodes: Array.from(totals).at(-1)?.znodes, most }
  })

describe("a walk over a tree that is three times as large", () => {
  it.effect("keeps no more znodes in memory", () =>
    Effect.gen(function* () {
      const small = yield* walk(30)
      const large = yield* walk(90)
      assert.deepStrictEqual([small.znodes, large.znodes], [33_331, 99_991])
      // But for the names of the subtrees, which come in one reply.
      assert.isAtMost(large.most - 90, small.most - 30)
    })
  )
})
