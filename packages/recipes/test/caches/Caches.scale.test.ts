/** A large tree: how long a cache takes to read it, what it asks at once, and what it holds in memory. */
import { Op } from "@effect-zookeeper/client"
import type { ZooKeeper } from "@effect-zookeeper/client"
import { retainedBytes } from "@effect-zookeeper/test-kit/MemoryUse"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as TreeCache from "../../src/TreeCache.ts"
import { countReads } from "../support/caches.ts"
import { withClient, describeOnServers } from "../support/targets.ts"

const isLong = process.env["ZK_LONG"] === "1"

/** So many znodes, each with 100 bytes, `wide` of them below each parent. */
const plant = Effect.fnUntraced(function* (zk: ZooKeeper.Service, count: number, wide: number) {
  const data = new Uint8Array(100).fill(120)
  yield* zk.create("/t", { data })
  const paths: Array<string> = []
  for (let parent = 0; paths.length < count - 1; parent++) {
    paths.push(`/t/parent-${parent}`)
    for (let n = 0; n < wide && paths.length < count - 1; n++) paths.push(`/t/parent-${parent}/child-${n}`)
  }
  const batches = Array.from({ length: Math.ceil(paths.length / 500) }, (_, n) => paths.slice(n * 500, n * 500 + 500))
  // One after the other: parents come before their children.
  for (const batch of batches) {
    yield* zk.transaction(batch.map((path) => Op.create(path, { data }))).pipe(
      Effect.retry({ while: ({ _tag }) => _tag === "ConnectionLoss" }),
      // It was applied, and its reply lost.
      Effect.catchTag("TransactionFailed", (error) =>
        error.error._tag === "NodeExists" ? Effect.void : Effect.fail(error)
      )
    )
  }
})

/** However long it takes: the time of the test bounds it. */
const until = (condition: () => boolean) =>
  Effect.repeat(Effect.sync(condition), { until: (is) => is, schedule: Schedule.spaced("5 millis") })

describeOnServers("a large tree", (it) => {
  const count = isLong ? 100_000 : 3000
  for (const wide of isLong ? [100, count] : [100]) {
    it.since("3.6.0")(
      `of ${count} znodes, ${wide} below a parent, is read with 64 requests at once, and swept without reading it again`,
      { timeout: isLong ? 600_000 : 60_000 },
      function* ({ another, breakable }) {
        const patient = { sessionTimeout: "60 seconds" } as const
        const zk = yield* another(patient)
        yield* plant(zk, count, wide)
        const direct = countReads(yield* another(patient))
        const before = retainedBytes()
        const start = performance.now()
        const cache = yield* withClient(direct.zk)(TreeCache.make("/t"))
        const loaded = performance.now()
        const bytes = (retainedBytes() - before) / count
        assert.strictEqual(cache.size, count)
        assert.strictEqual(direct.count.most, 64)
        assert.strictEqual(direct.count.get, count)
        const { link, zk: plain } = yield* breakable(patient)
        const { count: asked, zk: mine } = countReads(plain)
        const again = yield* withClient(mine)(TreeCache.make("/t", { jitter: 0 }))
        const lists = asked.list
        yield* link.cut
        yield* until(() => again.freshness === "suspended")
        const cut = performance.now()
        yield* link.heal
        yield* until(() => again.freshness === "live")
        const swept = performance.now()
        // Nothing came or went: no list is read again, and no data.
        assert.deepStrictEqual([asked.get, asked.stat, asked.list], [count, count, lists])
        yield* zk.set("/t/parent-0/child-7", "seen")
        for (const each of [cache, again]) {
          yield* until(() => Option.exists(each.get("/t/parent-0/child-7"), ({ data }) => data.length === 4))
        }
        if (isLong) {
          console.log(
            `${count} znodes, ${wide} below a parent: loaded in ${Math.round(loaded - start)} ms, ` +
              `${Math.round(bytes)} bytes of heap each, swept in ${Math.round(swept - cut)} ms; ` +
              `rss ${Math.round(process.memoryUsage().rss / 1e6)} MB`
          )
        }
        yield* zk.deleteAll("/t")
      }
    )
  }
})
