/** A persistent and a recursive watch at one znode: releases since 3.9 keep both, those before one of them. */
import { assert, describe, it } from "@effect/vitest"
import { WatchRegistry } from "../../src/internal/watches/WatchRegistry.ts"
import type { PersistentWatchListener } from "../../src/Session.ts"
import { silent } from "../support/session.ts"

describe("a persistent watch beside a recursive one", () => {
  /** A znode with both watches, of which the persistent one writes down what it hears. */
  const bothAt = (first: "persistent" | "recursive") => {
    const asked: Array<string> = []
    const heard: Array<string> = []
    const listener: PersistentWatchListener = {
      onEvent: ({ path, type }) => void heard.push(`${type} ${path}`),
      onEnd: () => {}
    }
    const registry = new WatchRegistry(
      {
        addWatch: (path, mode) => void asked.push(`add ${mode} ${path}`),
        removeWatches: (path, type) => void asked.push(`remove ${type} ${path}`)
      },
      (run) => run()
    )
    const add = (recursive: boolean) => {
      registry.add("/a", recursive, recursive ? silent : listener)
      const mode = registry.requestMode("/a", recursive)
      registry.confirmMode("/a", mode)
      return mode
    }
    const modes = first === "persistent" ? [add(false), add(true)] : [add(true), add(false)]
    return { add, asked, heard, listener, modes, registry }
  }

  it("hears of a child that may not be read where the server keeps both", () => {
    const { heard, modes, registry } = bothAt("persistent")
    assert.deepStrictEqual(modes, ["persistent", "recursive"])
    // Of a hidden child such a server tells its parent alone.
    registry.dispatch("NodeChildrenChanged", "/a", 7n)
    registry.dispatch("NodeCreated", "/a/b", 8n)
    registry.dispatch("NodeChildrenChanged", "/a", 8n)
    assert.deepStrictEqual(heard, ["NodeChildrenChanged /a", "NodeChildrenChanged /a"])
  })

  it("hears each change of children once on an older server, and while the server may be one", () => {
    for (const zxid of [-1n, 8n]) {
      const { heard, modes, registry } = bothAt("recursive")
      assert.deepStrictEqual(modes, ["recursive", "recursive"])
      registry.dispatch("NodeCreated", "/a/b", zxid)
      assert.deepStrictEqual(heard, ["NodeChildrenChanged /a"])
    }
  })

  it("is asked for by itself once an event has shown the release, and with both after a reconnection", () => {
    const { add, modes, registry } = bothAt("recursive")
    assert.deepStrictEqual(modes, ["recursive", "recursive"])
    registry.dispatch("NodeDataChanged", "/a", 7n)
    assert.strictEqual(add(false), "persistent")
    const { persistent, recursive } = registry.beginRestore()
    assert.deepStrictEqual([persistent, recursive], [["/a"], ["/a"]])
    registry.restored()
    // The next server may be an older one.
    assert.strictEqual(add(false), "recursive")
  })

  it("is removed by itself", () => {
    const { asked, listener, registry } = bothAt("persistent")
    registry.remove("/a", false, listener)
    registry.remove("/a", true, silent)
    assert.deepStrictEqual(asked, ["remove 4 /a", "remove 3 /a"])
  })
})
