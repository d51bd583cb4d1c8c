/** The Promise form of the caches: made by awaiting, read at once, listened to in a loop. */
import { assert, vi } from "@effect/vitest"
import type { CacheEvent } from "../../src/CacheEvent.ts"
import { recipes } from "../../src/Promise.ts"
import { describeEvent } from "../support/caches.ts"
import { assertEach, text } from "../support/targets.ts"
import { rejection, itConnected } from "../support/promises.ts"

const WAIT_OPTIONS = { interval: 5, timeout: 15_000 }

itConnected("a tree cache is awaited, read at once, and followed in a loop that ends with it", async (zk) => {
  await zk.create("/t", { data: "1" })
  await zk.create("/t/a", { data: "2" })
  const cache = await recipes(zk).treeCache("/t")
  assert.strictEqual(text(cache.get("/t/a")?.data ?? new Uint8Array()), "2")
  assert.isUndefined(cache.get("/t/none"))
  assert.deepStrictEqual([cache.size, cache.freshness, cache.path], [2, "live", "/t"])
  const { snapshot } = cache
  const told: Array<string> = []
  const following = (async () => {
    for await (const event of cache.changes) told.push(describeEvent(event))
  })()
  await zk.set("/t/a", "3")
  await zk.delete("/t/a")
  await vi.waitUntil(() => cache.size <= 1, WAIT_OPTIONS)
  // An earlier snapshot stays as it was, and a new one is current.
  assert.strictEqual(snapshot.size, 2)
  assert.strictEqual(text(snapshot.get("/t/a")?.data ?? new Uint8Array()), "2")
  assertEach(snapshot.entries(), ([path]) => path, ["/t", "/t/a"])
  assert.strictEqual(snapshot.children("/t").size, 1)
  assert.strictEqual(cache.children("/t").size, 0)
  assert.strictEqual(text((await cache.readThrough("/t"))?.data ?? new Uint8Array()), "1")
  await vi.waitUntil(() => told.at(-1) === "-/t/a", WAIT_OPTIONS)
  await cache.release()
  await following
  assert.strictEqual(told[0], "+/t 1")
  assert.strictEqual(cache.freshness, "lost")
})

itConnected("node and children caches are closed by their block", async (zk) => {
  await zk.create("/p")
  await zk.create("/p/a", { data: "1" })
  const seen: Array<CacheEvent["_tag"]> = []
  {
    await using node = await recipes(zk).nodeCache("/p/a")
    await using children = await recipes(zk).childrenCache("/p", { wait: true })
    assert.strictEqual(text(node.get()?.data ?? new Uint8Array()), "1")
    assert.deepStrictEqual([...children.get().keys()], ["a"])
    for await (const event of node.changes) {
      seen.push(event._tag)
      if (event._tag === "Synced") break
    }
    assert.strictEqual(text((await node.readThrough())?.data ?? new Uint8Array()), "1")
  }
  assert.deepStrictEqual(seen, ["Created", "Freshness", "Synced"])
})

itConnected("a cache that is not permitted says why", async (zk) => {
  const error = await rejection(recipes(zk).treeCache("not/a/path"))
  assert.propertyVal(error, "_tag", "InvalidArgument")
})
