/** How much memory each of many watches takes. */
import { retainedBytes } from "@effect-zookeeper/test-kit/MemoryUse"
import { assert, describe, it } from "@effect/vitest"
import { WatchRegistry } from "../../src/internal/watches/WatchRegistry.ts"

const COUNT = 20_000

describe("a registry of many watches", () => {
  it("takes less than 300 bytes for each that nothing waits for yet, with its path", () => {
    const registry = new WatchRegistry({ addWatch: () => {}, removeWatches: () => {} }, (callback) => callback())
    const setWatch = (path: string) => {
      registry.readSent(path, "data")
      return registry.readAnswered(path, "data", true, "data")
    }
    const before = retainedBytes()
    const watches = Array.from({ length: COUNT }, (_, index) => setWatch(`/watched/by-many/${index}`))
    const bytes = (retainedBytes() - before) / COUNT
    assert.strictEqual(registry.size, watches.length)
    assert.isBelow(bytes, 300)
  })
})
