/** The parts of a cache that know no server. */
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CacheEvent, CacheChange } from "../../src/CacheEvent.ts"
import { EventBroadcaster } from "../../src/internal/caches/EventBroadcaster.ts"
import * as TreeSnapshot from "../../src/internal/caches/TreeSnapshot.ts"

const znode = (czxid: bigint, mzxid = czxid): DataAndStat => ({
  data: new Uint8Array(0),
  stat: { ...stat, czxid, mzxid }
})

const tree = (...entries: ReadonlyArray<readonly [path: string, czxid: bigint, mzxid?: bigint]>) =>
  entries.reduce(
    (snapshot, [path, czxid, mzxid]) =>
      TreeSnapshot.put(snapshot, TreeSnapshot.relativeNames("/r", path)!, znode(czxid, mzxid)),
    TreeSnapshot.empty
  )

const lines = (changes: Iterable<CacheEvent | CacheChange>) =>
  [...changes].map((change) => ("path" in change ? `${change._tag} ${change.path}` : change._tag))

describe("a tree snapshot", () => {
  it("finds the znodes that were put, and leaves older tree snapshots as they are", () => {
    const before = tree(["/r", 1n], ["/r/a", 2n], ["/r/a/b", 3n])
    const after = TreeSnapshot.remove(TreeSnapshot.put(before, ["c"], znode(4n)), ["a"])
    assert.deepStrictEqual([before.size, after.size], [3, 2])
    assertEach(TreeSnapshot.entries("/r", before.root), ([path]) => path, ["/r", "/r/a", "/r/a/b"])
    assertEach(TreeSnapshot.entries("/r", after.root), ([path]) => path, ["/r", "/r/c"])
    assert.strictEqual(TreeSnapshot.remove(after, ["none", "below"]), after)
    assert.strictEqual(TreeSnapshot.remove(after, []).size, 0)
  })

  it("knows its own paths from others that look alike", () => {
    assert.deepStrictEqual(TreeSnapshot.relativeNames("/r", "/r"), [])
    assert.deepStrictEqual(TreeSnapshot.relativeNames("/r", "/r/a/b"), ["a", "b"])
    assert.isUndefined(TreeSnapshot.relativeNames("/r", "/ra"))
    assert.isUndefined(TreeSnapshot.relativeNames("/r", "/"))
    assert.deepStrictEqual(TreeSnapshot.relativeNames("/", "/"), [])
    assert.deepStrictEqual(TreeSnapshot.relativeNames("/", "/a"), ["a"])
  })

  it("lists the changes to another one by the transactions that created and wrote a znode, never by versions", () => {
    const before = tree(["/r", 1n], ["/r/again", 2n], ["/r/again/below", 3n], ["/r/gone", 4n], ["/r/set", 5n])
    const after = tree(["/r", 1n], ["/r/again", 7n], ["/r/new", 8n], ["/r/set", 5n, 9n])
    const told = lines(TreeSnapshot.changes("/r", before.root, after.root))
    assert.sameMembers(told, [
      "Deleted /r/again/below",
      "Deleted /r/again",
      "Created /r/again",
      "Deleted /r/gone",
      "Created /r/new",
      "Updated /r/set"
    ])
    const at = (line: string) => told.indexOf(line)
    assert.isBelow(at("Deleted /r/again/below"), at("Deleted /r/again"))
    assert.isBelow(at("Deleted /r/again"), at("Created /r/again"))
    assert.deepStrictEqual(lines(TreeSnapshot.changes("/r", after.root, after.root)), [])
    assert.deepStrictEqual(lines(TreeSnapshot.changes("/r", tree(["/r", 1n], ["/r/a", 2n]).root, undefined)), [
      "Deleted /r/a",
      "Deleted /r"
    ])
  })
})

describe("an event broadcaster", () => {
  const stage = () => {
    let snapshot = TreeSnapshot.empty
    const broadcaster = new EventBroadcaster<never>("/r", () => ({
      tree: snapshot,
      statusEvents: [{ _tag: "Freshness", freshness: "live" }]
    }))
    const put = (names: TreeSnapshot.Names, czxid: bigint, mzxid: bigint) => {
      const path = ["/r", ...names].join("/")
      const old = TreeSnapshot.find(snapshot, names)?.znode
      const next = znode(czxid, mzxid)
      snapshot = TreeSnapshot.put(snapshot, names, next)
      broadcaster.notify([
        old === undefined ? { _tag: "Created", path, znode: next } : { _tag: "Updated", path, old, znode: next }
      ])
    }
    return { broadcaster, put }
  }

  itEffect("gives a slow listener the result, in place of all events", function* () {
    const { broadcaster, put } = stage()
    put([], 1n, 1n)
    const told: Array<CacheEvent> = []
    yield* Stream.runForEach(broadcaster.stream, (event) =>
      Effect.sync(() => {
        told.push(event)
        // While it is busy with this one, far more happens than is kept.
        if (told.length === 2)
          for (let n = 2; n <= 20_000; n++) put(n % 2 === 0 ? ["a"] : [], n % 2 === 0 ? 2n : 1n, BigInt(n))
        if (
          event._tag !== "Freshness" &&
          event._tag !== "Synced" &&
          "znode" in event &&
          event.znode.stat.mzxid === 20_000n
        )
          broadcaster.end(Effect.undefined)
      })
    )
    assert.isBelow(told.length, 8192)
    // It may be replayed nevertheless.
    const last = new Map<string, bigint>()
    for (const event of told) {
      if (event._tag === "Created") {
        assert.isFalse(last.has(event.path))
        last.set(event.path, event.znode.stat.mzxid)
      } else if (event._tag === "Updated") {
        assert.strictEqual(last.get(event.path), event.old.stat.mzxid)
        last.set(event.path, event.znode.stat.mzxid)
      }
    }
    assert.strictEqual(last.get("/r/a"), 20_000n)
  })

  itEffect("emits nothing after the end, not even waiting events", function* () {
    const { broadcaster, put } = stage()
    const told: Array<string> = []
    yield* Stream.runForEach(broadcaster.stream, (event) =>
      Effect.sync(() => {
        told.push(event._tag)
        put([], 1n, BigInt(told.length))
        put(["a"], 2n, BigInt(told.length + 1))
        if (told.length === 3) broadcaster.end(Effect.undefined)
      })
    )
    assert.lengthOf(told, 3)
    assert.isTrue(broadcaster.isEmpty)
    assert.deepStrictEqual(yield* Stream.runCollect(broadcaster.stream), [])
  })
})
