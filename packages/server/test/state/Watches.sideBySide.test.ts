/**
 * Watches of several modes on one path, as ZooKeeper 3.9 keeps them: side by side, and removed one by one.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import type { Client } from "../../src/internal/state/ServerState.ts"
import { start } from "../support/harness.ts"

const CHILDREN = 1
const DATA = 2
const ANY = 3
const PERSISTENT = 4
const RECURSIVE = 5

/** A server of 3.9 with `/x` and `/x/a`, and one client. */
const world = () => {
  const { client, harness } = start({ version: "3.9" })
  for (const path of ["/x", "/x/a"]) harness.create(client, path)
  const write = () => harness.ask(client, Operations.setData, { path: "/x/a", data: null, version: -1 }).events
  const remove = (type: number, from: Client = client) =>
    harness.ask(from, Operations.removeWatches, { path: "/x/a", type }).err
  const check = (type: number, from: Client = client) =>
    harness.ask(from, Operations.checkWatches, { path: "/x/a", type }).err
  const watch = (mode: number) => harness.ask(client, Operations.addWatch, { path: "/x/a", mode })
  const read = () => harness.ask(client, Operations.getData, { path: "/x/a", watch: true })
  const list = () => harness.ask(client, Operations.getChildren2, { path: "/x/a", watch: true })
  return { harness, client, write, remove, check, watch, read, list }
}

describe("on a server of 3.9", () => {
  it("a one-shot watch leaves the persistent one on its path", () => {
    const { read, watch, write } = world()
    watch(0)
    read()
    assert.deepStrictEqual(write(), ["NodeDataChanged /x/a"], "both of them are one event")
    assert.deepStrictEqual(write(), ["NodeDataChanged /x/a"])
  })

  it("a persistent and a recursive watch stay side by side", () => {
    const { client, harness, remove, watch } = world()
    watch(0)
    watch(1)
    assert.deepStrictEqual(harness.create(client, "/x/a/b").events, ["NodeCreated /x/a/b", "NodeChildrenChanged /x/a"])
    assert.strictEqual(remove(PERSISTENT), 0)
    assert.deepStrictEqual(harness.create(client, "/x/a/c").events, ["NodeCreated /x/a/c"])
  })

  it("each mode is removed by itself, and any removes all", () => {
    const { list, read, remove, watch, write } = world()
    watch(0)
    watch(1)
    read()
    list()
    assert.strictEqual(remove(CHILDREN), 0)
    assert.strictEqual(remove(CHILDREN), codes.NoWatcher)
    assert.strictEqual(remove(DATA), 0)
    assert.strictEqual(remove(DATA), codes.NoWatcher, "the persistent one is not for data alone")
    assert.strictEqual(remove(RECURSIVE), 0)
    assert.strictEqual(remove(RECURSIVE), codes.NoWatcher)
    assert.lengthOf(write(), 1)
    assert.strictEqual(remove(ANY), 0)
    assert.strictEqual(remove(ANY), codes.NoWatcher)
    assert.lengthOf(write(), 0)
  })

  it("a check tells of the client's own watches alone", () => {
    const { check, harness, read, watch } = world()
    read()
    watch(1)
    const other = harness.client()
    const all = [CHILDREN, DATA, ANY, PERSISTENT, RECURSIVE]
    assertEach(all, (type) => check(type), [codes.NoWatcher, 0, 0, codes.NoWatcher, 0])
    for (const type of all) assert.strictEqual(check(type, other), codes.NoWatcher)
  })

  it("a recursive watch is used up by nothing, and counted no more when it is removed", () => {
    const { client, harness, read, remove, watch, write } = world()
    watch(1)
    read()
    write()
    assert.deepStrictEqual(write(), ["NodeDataChanged /x/a"])
    remove(RECURSIVE)
    assert.deepStrictEqual(harness.create(client, "/x/a/b").events, [])
  })
})

describe("on a server of 3.8", () => {
  it("the numbers of the new modes are refused", () => {
    const { client, harness } = start()
    for (const type of [PERSISTENT, RECURSIVE]) {
      const { err } = harness.ask(client, Operations.removeWatches, { path: "/x", type })
      assert.strictEqual(err, codes.MarshallingError)
    }
  })
})
