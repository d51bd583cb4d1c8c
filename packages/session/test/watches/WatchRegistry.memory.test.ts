/** How much memory each of many watches takes, and that so many of one path are all told. */
import { retainedBytes } from "@effect-zookeeper/test-kit/MemoryUse"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as SessionError from "../../src/SessionError.ts"
import { WatchRegistry } from "../../src/internal/watches/WatchRegistry.ts"

const COUNT = 20_000

describe("a registry of many watches", () => {
  it("takes less than 300 bytes for each that nothing waits for yet, with its path", () => {
    const { registry, setWatch } = make()
    const before = retainedBytes()
    const watches = Array.from({ length: COUNT }, (_, index) => setWatch(`/watched/by-many/${index}`))
    const bytes = (retainedBytes() - before) / COUNT
    assert.strictEqual(registry.size, watches.length)
    assert.isBelow(bytes, 300)
  })

  // As arguments of a function they would be too many.
  it.effect("tells all watches of one path, however many", () =>
    Effect.gen(function* () {
      for (const end of ["event", "expiry"]) {
        const { registry, setWatch } = make()
        const watches = Array.from({ length: 200_000 }, () => setWatch("/one"))
        if (end === "event") registry.dispatch("NodeDataChanged", "/one", 7n)
        else registry.failOneShots(() => new SessionError.SessionClosed())
        assert.strictEqual(registry.size, 0)
        const last = watches.at(-1)
        assert.isDefined(last)
        assert.strictEqual(Exit.isSuccess(yield* Effect.exit(last)), end === "event")
      }
    })
  )
})

const make = () => {
  const registry = new WatchRegistry({ addWatch: () => {}, removeWatches: () => {} }, (callback) => callback())
  const setWatch = (path: string) => {
    registry.readSent(path, "data")
    return registry.readAnswered(path, "data", true, "data")
  }
  return { registry, setWatch }
}
