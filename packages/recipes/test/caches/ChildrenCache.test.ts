import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ChildrenCache from "../../src/ChildrenCache.ts"
import { countReads, describeEvent, watchingWays } from "../support/caches.ts"
import {
  withClient,
  describeOnServers,
  awaitCondition,
  failure,
  text,
  awaitNoWatches,
  gather,
  inScope
} from "../support/targets.ts"

const seen = (cache: ChildrenCache.ChildrenCache) =>
  [...cache.get()].map(([name, { data }]) => `${name}=${text(data)}`).toSorted()

const toldBy = (cache: ChildrenCache.ChildrenCache) => gather(Stream.map(cache.changes, describeEvent))

describeOnServers("a children cache", (it) => {
  for (const [how, mode] of watchingWays) {
    // aiozk's ChildrenWatcher ends when the parent is gone, and does not look at the children's data.
    it.inChroot(
      `follows children and their data, through the end of their parent, by ${how} (aiozk 79, 80)`,
      function* ({ watches, zk }) {
        yield* inScope(function* () {
          const cache = yield* withClient(mode(zk))(ChildrenCache.make("/p"))
          assert.deepStrictEqual(seen(cache), [])
          const told = yield* toldBy(cache)
          for (let round = 0; round < 2; round++) {
            yield* zk.create("/p", { data: "the parent's" })
            yield* zk.create("/p/a", { data: "1" })
            yield* zk.create("/p/a/below", { data: "not cached" })
            yield* zk.create("/p/b", { data: "2", mode: "ephemeral" })
            yield* awaitCondition(() => seen(cache).join() === "a=1,b=2")
            const before = cache.get()
            assert.strictEqual(cache.get(), before)
            yield* zk.set("/p/a", "3")
            yield* awaitCondition(() => seen(cache).join() === "a=3,b=2")
            assert.strictEqual(text(before.get("a")!.data), "1")
            yield* zk.delete("/p/b")
            yield* zk.deleteAll("/p")
            yield* awaitCondition(() => cache.get().size === 0)
          }
          const round = ["+/p/a 1", "+/p/b 2", "*/p/a 1>3", "-/p/b", "-/p/a"]
          yield* awaitCondition(() => told.length === 12)
          assert.deepStrictEqual(told.slice(0, 2), ["live", "synced 0"])
          // Two children are two paths: only the events of one have an order.
          assert.deepStrictEqual(told.slice(2).toSorted(), [...round, ...round].toSorted())
          const ofA = (lines: ReadonlyArray<string>) => lines.filter((line) => line.includes("/a"))
          assert.deepStrictEqual(ofA(told), ofA([...round, ...round]))
        })
        yield* awaitNoWatches(watches)
      }
    )
  }

  it.since("3.6.0")(
    "has a filter and a limit of names, and reads no data when it is to keep none",
    function* ({ zk: plain }) {
      const { count, zk } = countReads(plain)
      yield* plain.create("/p", { data: "p" })
      for (const name of ["a", "b", "no"]) yield* plain.create(`/p/${name}`, { data: name })
      const chosen = yield* withClient(zk)(ChildrenCache.make("/p", { filter: (name) => name !== "no" }))
      assert.deepStrictEqual(seen(chosen), ["a=a", "b=b"])
      assert.strictEqual(count.get, 2)
      const stats = yield* withClient(zk)(ChildrenCache.make("/p", { data: false }))
      assert.deepStrictEqual(seen(stats), ["a=", "b=", "no="])
      assert.strictEqual(count.get, 2)
      const few = yield* withClient(zk)(ChildrenCache.make("/p", { maxNodes: 2 }))
      assert.strictEqual(few.get().size, 2)
      const told = yield* toldBy(few)
      yield* awaitCondition(() => told.length === 5)
      assert.deepStrictEqual(told.slice(2), ["full 2", "live", "synced 2"])
    }
  )
})

describeOnServers("a cache whose filter throws", (it) => {
  for (const [when, first] of [
    ["at once", true],
    ["later", false]
  ] as const) {
    it.inChroot(`says so ${when}, instead of waiting or being out of date for ever`, function* ({ zk }) {
      yield* zk.create("/all")
      if (first) yield* zk.create("/all/x")
      const making = withClient(zk)(
        ChildrenCache.make("/all", {
          filter: () => {
            throw new Error("a bug")
          }
        })
      )
      const ended = Effect.gen(function* () {
        const cache = yield* making
        if (!first) yield* zk.create("/all/x")
        yield* Stream.runDrain(cache.changes)
      })
      const exit = Option.getOrThrow(yield* Effect.timeoutOption(Effect.exit(ended), "10 seconds"))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    })
  }
})

describeOnServers("the options of a cache", (it) => {
  it.inChroot("are refused where they are not whole numbers", function* ({ zk }) {
    const making = (options: ChildrenCache.Options) =>
      failure(withClient(zk)(ChildrenCache.make("/all", options)), "InvalidArgument")
    for (const concurrency of [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.strictEqual((yield* making({ concurrency })).argument, "concurrency")
    }
    assert.strictEqual((yield* making({ maxNodes: 0 })).argument, "maxNodes")
  })
})
