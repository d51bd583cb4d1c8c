/** The lists of watches for a new connection: made anew only when something has changed. */
import { assert, describe, it } from "@effect/vitest"
import { WatchRegistry } from "../../src/internal/watches/WatchRegistry.ts"
import { ConnectionLoss } from "../../src/SessionError.ts"

describe("the lists for a new connection", () => {
  it("are the same ones until a watch has come, fired or gone", () => {
    const registry = new WatchRegistry({ addWatch: () => {}, removeWatches: () => {} }, (run) => run())
    const watch = (path: string) => {
      registry.readSent(path, "data")
      return registry.readAnswered(path, "data", true, "data")
    }
    for (const path of ["/a", "/b"]) watch(path)
    let before = registry.beginRestore()
    assert.strictEqual(registry.beginRestore(), before)
    const changes: ReadonlyArray<readonly [change: () => void, data: ReadonlyArray<string>]> = [
      [() => void watch("/c"), ["/a", "/b", "/c"]],
      [() => registry.dispatch("NodeDataChanged", "/a", 1n), ["/b", "/c"]],
      [() => void registry.readSent("/d", "data"), ["/b", "/c"]],
      [() => registry.giveUp("/c", new ConnectionLoss({ operation: "", path: "/c", maybeApplied: false })), ["/b"]]
    ]
    for (const [change, data] of changes) {
      change()
      const after = registry.beginRestore()
      assert.notStrictEqual(after, before)
      assert.deepStrictEqual(after.data, data)
      assert.strictEqual(registry.beginRestore(), after)
      before = after
    }
  })
})
