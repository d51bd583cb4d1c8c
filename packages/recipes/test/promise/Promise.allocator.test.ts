import { assert, describe } from "@effect/vitest"
import { recipes } from "../../src/Promise.ts"
import { itConnected } from "../support/promises.ts"

describe("an allocator, as Promises", () => {
  itConnected("runs a callback with the items of its own, and aborts it before another has them", async (zk) => {
    await using first = await recipes(zk).allocator("/shards", { id: "a", quiet: 100 })
    await first.update(() => ["x", "y"])
    const seen: Array<string> = []
    let running = 0
    const work = first
      .whileAllocated(async ({ items, signal }) => {
        seen.push(items.join())
        running++
        assert.strictEqual(running, 1)
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
        running--
      })
      .catch((error: unknown) => error)
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.deepStrictEqual(first.allocation, ["x", "y"])
    assert.strictEqual(typeof first.held("x")?.fencingToken, "bigint")
    const second = await recipes(zk).allocator("/shards", { id: "b", quiet: 100 })
    for await (const items of second.changes) if (items.length === 1) break
    assert.deepStrictEqual(second.allocation, ["y"])
    assert.strictEqual(seen[0], "x,y")
    assert.include(seen, "x")
    await second.release()
    for await (const items of first.changes) if (items.length === 2) break
    await first.release()
    assert.propertyVal(await work, "_tag", "SessionClosed")
    assert.strictEqual(running, 0)
  })
})
