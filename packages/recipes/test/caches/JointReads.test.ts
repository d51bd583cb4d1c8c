/** Caches whose reads of data go in few requests, and what becomes of them where data is large. */
import { connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TreeCache from "../../src/TreeCache.ts"
import { countReads } from "../support/caches.ts"
import { describeOnServers, numbersBelow, withClient } from "../support/targets.ts"

describeOnServers("a cache of many znodes", (it) => {
  it.since("3.6.0")("asks for few at first, then for 32 in a request", function* ({ another, zk }) {
    yield* zk.create("/t")
    yield* Effect.forEach(numbersBelow(300), (n) => zk.create(`/t/${n}`, { data: "x" }))
    const { count, zk: counted } = countReads(yield* another())
    const cache = yield* withClient(counted)(TreeCache.make("/t"))
    assert.strictEqual(cache.size, 301)
    assert.isAtMost(count.requests, 40)
    assert.strictEqual(count.widest, 32)
  })

  it.since("3.6.0")("asks for fewer where data is large", function* ({ another, zk }) {
    yield* zk.create("/t")
    yield* Effect.forEach(numbersBelow(20), (n) => zk.create(`/t/${n}`, { data: new Uint8Array(300_000) }))
    const { count, zk: counted } = countReads(yield* another())
    const cache = yield* withClient(counted)(TreeCache.make("/t", { concurrency: 8 }))
    assert.strictEqual(cache.size, 21)
    assert.strictEqual(count.widest, 4)
  })

  it.since("3.6.0")(
    "asks one by one after a reply that was larger than allowed, and has them all",
    function* ({ chroot, zk }) {
      yield* zk.create("/t")
      yield* Effect.forEach(numbersBelow(200), (n) => zk.create(`/t/${n}`, { data: "x".repeat(3000) }))
      const small = yield* connectTo(yield* Target, { chroot, maxFrameSize: 16_384 })
      const { count, zk: counted } = countReads(small)
      const cache = yield* withClient(counted)(TreeCache.make("/t", { jitter: 0 }))
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => cache.freshness === "live" })
      assert.strictEqual(cache.size, 201)
      assert.isAbove(count.widest, 5)
      assert.isAbove(count.requests, 130)
    }
  )
})
