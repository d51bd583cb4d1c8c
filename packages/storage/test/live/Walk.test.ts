/** The walk over a live tree, with visits that the test ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { concurrencyOf, CONCURRENCY, type Visit, walk } from "../../src/internal/live/walk.ts"

/** A root with so many children, whose visits are counted. */
const flatTree = (children: number) => {
  const names = Arr.range(1, children).map(String)
  const counts = { asked: 0, most: 0, taken: 0 }
  const visitAll = (paths: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      counts.asked += paths.length
      counts.most = Math.max(counts.most, counts.asked - counts.taken)
      yield* Effect.yieldNow
      return paths.map((path): Visit<string> => ({ value: path, children: path === "/" ? names : [] }))
    })
  return { counts, visitAll }
}

describe("a walk", () => {
  it.effect("asks for the next znodes before it gives those that it has", () =>
    Effect.gen(function* () {
      const { counts, visitAll } = flatTree(1_000)
      const ahead: Array<number> = []
      yield* walk("/", visitAll, CONCURRENCY, () => 0).pipe(
        Stream.runForEach((paths) =>
          Effect.sync(() => {
            counts.taken += paths.length
            ahead.push(counts.asked - counts.taken)
          })
        )
      )
      assert.strictEqual(counts.taken, 1_001)
      // At the root nothing else is known, and at the end nothing is left.
      assert.isTrue(ahead.slice(1, -1).every((count) => count > 0))
    })
  )

  for (const [kilobytes, least, most] of [
    [1, 1024, 1024],
    [100, 640, 640],
    [1000, 256, 384]
  ] as const) {
    it.effect(`asks for ${most} znodes of ${kilobytes} kB at most where it may ask for 1,024`, () =>
      Effect.gen(function* () {
        const { counts, visitAll } = flatTree(3_000)
        const steps = walk("/", visitAll, 1024, (path) => (path === "/" ? 0 : kilobytes * 1000))
        yield* Stream.runForEach(steps, (paths) => Effect.sync(() => void (counts.taken += paths.length)))
        assert.isAtLeast(counts.most, least)
        assert.isAtMost(counts.most, most)
      })
    )
  }

  it("asks for more where several clients ask, unless it is told for how many", () => {
    const aclReaders = [{}] as never
    const some = [{}, { aclReaders: [] }, { aclReaders }, { aclReaders, concurrency: 16 }].map(concurrencyOf)
    assert.deepStrictEqual(some, [256, 256, 1024, 16])
  })

  for (const concurrency of [1, 7, 200, 256, 1_000]) {
    it.effect(`has never asked for more than ${concurrency} znodes that were not taken`, () =>
      Effect.gen(function* () {
        const { counts, visitAll } = flatTree(3_000)
        const seen: Array<string> = []
        yield* walk("/", visitAll, concurrency, () => 0).pipe(
          Stream.runForEach((paths) =>
            Effect.sync(() => {
              counts.taken += paths.length
              seen.push(...paths)
            })
          )
        )
        assert.isAtMost(counts.most, concurrency)
        assert.strictEqual(new Set(seen).size, 3_001)
        assert.strictEqual(seen[0], "/")
      })
    )
  }
})
