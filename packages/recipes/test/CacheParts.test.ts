/** The parts of a cache that know no server. */
import { assert, describe, it } from "@effect/vitest"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CacheEvent, CacheChange } from "../src/CacheEvent.ts"
import { Audience } from "../src/internal/cache/audience.ts"
import * as Picture from "../src/internal/cache/picture.ts"

const znode = (czxid: bigint, mzxid = czxid): DataAndStat => ({
  data: new Uint8Array(0),
  stat: { ...stat, czxid, mzxid }
})

const tree = (...entries: ReadonlyArray<readonly [path: string, czxid: bigint, mzxid?: bigint]>) =>
  entries.reduce(
    (picture, [path, czxid, mzxid]) => Picture.put(picture, Picture.namesOf("/r", path)!, znode(czxid, mzxid)),
    Picture.nothing
  )

const lines = (changes: Iterable<CacheEvent | CacheChange>) =>
  [...changes].map((change) => ("path" in change ? `${change._tag} ${change.path}` : change._tag))

describe("a picture", () => {
  it("finds what was put, and leaves older pictures as they are", () => {
    const before = tree(["/r", 1n], ["/r/a", 2n], ["/r/a/b", 3n])
    const after = Picture.remove(Picture.put(before, ["c"], znode(4n)), ["a"])
    assert.deepStrictEqual([before.size, after.size], [3, 2])
    assert.deepStrictEqual(
      [...Picture.entries("/r", before.root)].map(([path]) => path),
      ["/r", "/r/a", "/r/a/b"]
    )
    assert.deepStrictEqual(
      [...Picture.entries("/r", after.root)].map(([path]) => path),
      ["/r", "/r/c"]
    )
    assert.strictEqual(Picture.remove(after, ["none", "below"]), after)
    assert.strictEqual(Picture.remove(after, []).size, 0)
  })

  it("knows its own paths from others that look alike", () => {
    assert.deepStrictEqual(Picture.namesOf("/r", "/r"), [])
    assert.deepStrictEqual(Picture.namesOf("/r", "/r/a/b"), ["a", "b"])
    assert.isUndefined(Picture.namesOf("/r", "/ra"))
    assert.isUndefined(Picture.namesOf("/r", "/"))
    assert.deepStrictEqual(Picture.namesOf("/", "/"), [])
    assert.deepStrictEqual(Picture.namesOf("/", "/a"), ["a"])
  })

  it("tells what leads to another, by what created a znode and what wrote it, never by versions", () => {
    const before = tree(["/r", 1n], ["/r/again", 2n], ["/r/again/below", 3n], ["/r/gone", 4n], ["/r/set", 5n])
    const after = tree(["/r", 1n], ["/r/again", 7n], ["/r/new", 8n], ["/r/set", 5n, 9n])
    const told = lines(Picture.changes("/r", before.root, after.root))
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
    assert.deepStrictEqual(lines(Picture.changes("/r", after.root, after.root)), [])
    assert.deepStrictEqual(lines(Picture.changes("/r", tree(["/r", 1n], ["/r/a", 2n]).root, undefined)), [
      "Deleted /r/a",
      "Deleted /r"
    ])
  })
})

describe("an audience", () => {
  const stage = () => {
    let picture = Picture.nothing
    const audience = new Audience<never>("/r", () => ({ picture, remarks: [{ _tag: "Freshness", freshness: "live" }] }))
    const put = (names: Picture.Names, czxid: bigint, mzxid: bigint) => {
      const path = ["/r", ...names].join("/")
      const old = Picture.find(picture, names)?.znode
      const next = znode(czxid, mzxid)
      picture = Picture.put(picture, names, next)
      audience.tell([
        old === undefined ? { _tag: "Created", path, znode: next } : { _tag: "Updated", path, old, znode: next }
      ])
    }
    return { audience, put }
  }

  it.effect("tells one who is slow what it comes to, in place of all that happened", () =>
    Effect.gen(function* () {
      const { audience, put } = stage()
      put([], 1n, 1n)
      const told: Array<CacheEvent> = []
      yield* Stream.runForEach(audience.stream, (event) =>
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
            audience.end(Effect.undefined)
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
  )

  it.effect("hears nothing after the end, not even what waits", () =>
    Effect.gen(function* () {
      const { audience, put } = stage()
      const told: Array<string> = []
      yield* Stream.runForEach(audience.stream, (event) =>
        Effect.sync(() => {
          told.push(event._tag)
          put([], 1n, BigInt(told.length))
          put(["a"], 2n, BigInt(told.length + 1))
          if (told.length === 3) audience.end(Effect.undefined)
        })
      )
      assert.lengthOf(told, 3)
      assert.isTrue(audience.isEmpty)
      assert.deepStrictEqual(yield* Stream.runCollect(audience.stream), [])
    })
  )
})
