import { Acl } from "@effect-zookeeper/client"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TreeCache from "../../src/TreeCache.ts"
import { comparable, countReads, followChanges, readTree, watchingWays } from "../support/caches.ts"
import {
  assertEach,
  withClient,
  describeOnServers,
  awaitCondition,
  failure,
  text,
  awaitNoWatches,
  now,
  closable,
  inScope
} from "../support/targets.ts"

const dataAt = (cache: TreeCache.TreeCache, path: string) =>
  Option.getOrNull(Option.map(cache.get(path), ({ data }) => text(data)))

describeOnServers("a tree cache", (it) => {
  for (const [by_, mode] of watchingWays) {
    it.inChroot(`has the tree when it is made, and follows it, by ${by_} (aiozk 73)`, function* ({ zk }) {
      yield* zk.create("/t", { data: "0" })
      yield* zk.create("/t/a", { data: "1" })
      yield* zk.create("/t/a/b", { data: "2" })
      const cache = yield* withClient(mode(zk))(TreeCache.make("/t"))
      // aiozk drops the data of znodes that have children.
      assertEach(cache.snapshot.entries(), ([path, { data }]) => [path, text(data)], [
        ["/t", "0"],
        ["/t/a", "1"],
        ["/t/a/b", "2"]
      ])
      const { replayed, events } = yield* followChanges(cache.changes, "/t")
      yield* awaitCondition(() => events.length === 5)
      assert.deepStrictEqual(events.splice(0), ["+/t 0", "+/t/a 1", "+/t/a/b 2", "live", "synced 3"])
      yield* zk.set("/t/a", "3")
      yield* awaitCondition(() => dataAt(cache, "/t/a") === "3")
      yield* zk.create("/t/c", { data: "4" })
      yield* awaitCondition(() => dataAt(cache, "/t/c") === "4")
      yield* zk.deleteAll("/t/a")
      yield* awaitCondition(() => cache.size === 2 && events.length === 4)
      assert.deepStrictEqual(events, ["*/t/a 1>3", "+/t/c 4", "-/t/a/b", "-/t/a"])
      assert.deepStrictEqual(cache.children("/t").size, 1)
      const expected = yield* readTree(zk, "/t")
      assert.deepStrictEqual(comparable(replayed, true), comparable(expected, true))
      // The Stat of a parent follows its children, which is no event.
      yield* awaitCondition(() => Equal.equals(comparable(cache.snapshot.entries()), comparable(expected)))
    })

    it.inChroot(`waits for a root that is not there, or not any more, by ${by_}`, function* ({ zk }) {
      const cache = yield* withClient(mode(zk))(TreeCache.make("/late/root"))
      assert.strictEqual(cache.freshness, "live")
      assert.deepStrictEqual(cache.get("/late/root"), Option.none())
      const { events } = yield* followChanges(cache.changes, "/late/root")
      yield* zk.create("/late")
      for (const round of ["1", "2"]) {
        yield* zk.create("/late/root", { data: round })
        yield* awaitCondition(() => dataAt(cache, "/late/root") === round)
        yield* zk.create("/late/root/child")
        yield* awaitCondition(() => cache.size === 2)
        yield* zk.deleteAll("/late/root")
        yield* awaitCondition(() => cache.size === 0)
      }
      const once = (round: string) => [`+/late/root ${round}`, "+/late/root/child", "-/late/root/child", "-/late/root"]
      yield* awaitCondition(() => events.length === 10)
      assert.deepStrictEqual(events, ["live", "synced 0", ...once("1"), ...once("2")])
    })

    it.inChroot(
      `emits nothing and leaves no watch when it is closed, by ${by_} (aiozk 74, 75)`,
      function* ({ watches, zk }) {
        for (const path of ["/t", "/t/a", "/t/a/b"]) yield* zk.create(path)
        const both = Effect.all([TreeCache.make("/t"), TreeCache.make("/no")])
        const [[cache, absent], close] = yield* closable(withClient(mode(zk))(both))
        const { fiber, events } = yield* followChanges(cache.changes, "/t")
        yield* awaitCondition(() => events.length === 5)
        assert.isAbove(yield* watches, 0)
        yield* zk.deleteAll("/t/a")
        yield* close
        const before = events.length
        yield* Fiber.join(fiber)
        yield* zk.set("/t", "unseen")
        yield* zk.create("/no")
        yield* awaitNoWatches(watches)
        assert.strictEqual(events.length, before)
        assert.strictEqual(dataAt(cache, "/t"), "")
        assert.isTrue(Option.isNone(absent.get("/no")))
        assert.strictEqual(cache.freshness, "lost")
        assert.deepStrictEqual(yield* Stream.runCollect(cache.changes), [])
      }
    )

    it.inChroot(
      `emits the changes of an outage, also a znode that was created again with the same version, by ${by_}`,
      function* ({ breakable, zk }) {
        const { link, zk: mine } = yield* breakable()
        for (const path of ["/t", "/t/again", "/t/gone", "/t/set"]) yield* zk.create(path, { data: "old" })
        const cache = yield* withClient(mode(mine))(TreeCache.make("/t", { jitter: 0 }))
        const { events } = yield* followChanges(cache.changes, "/t")
        yield* awaitCondition(() => events.length === 6)
        yield* link.cut
        yield* awaitCondition(() => cache.freshness === "suspended")
        yield* zk.delete("/t/again")
        yield* zk.create("/t/again", { data: "old" })
        yield* zk.delete("/t/gone")
        yield* zk.set("/t/set", "new")
        yield* zk.create("/t/new", { data: "new" })
        yield* link.heal
        yield* awaitCondition(() => events.filter((line) => line === "synced 4").length === 2)
        const changes = events.slice(6)
        assert.strictEqual(changes.indexOf("suspended"), 0)
        assert.includeMembers(changes, ["-/t/again", "+/t/again old", "-/t/gone", "*/t/set old>new", "+/t/new new"])
        assert.isBelow(changes.indexOf("-/t/again"), changes.indexOf("+/t/again old"))
        assert.deepStrictEqual(changes.slice(-2), ["live", "synced 4"])
        assert.deepStrictEqual(comparable(cache.snapshot.entries()), comparable(yield* readTree(zk, "/t")))
      }
    )

    it.inChroot(`goes on in a new session, by ${by_} (row 18)`, function* ({ another, expire, zk }) {
      const mine = yield* another()
      yield* zk.create("/t", { data: "1" })
      yield* zk.create("/t/a", { data: "1" })
      const cache = yield* withClient(mode(mine))(TreeCache.make("/t", { jitter: 0 }))
      const { events } = yield* followChanges(cache.changes, "/t")
      const { id } = mine.session
      yield* expire(mine)
      yield* zk.set("/t/a", "2")
      yield* awaitCondition(() => mine.session.id !== id && cache.freshness === "live" && dataAt(cache, "/t/a") === "2")
      yield* zk.set("/t/a", "3")
      yield* zk.create("/t/b")
      yield* awaitCondition(() => cache.size === 3 && dataAt(cache, "/t/a") === "3" && events.includes("+/t/b"))
      assert.include(events, "lost")
      assert.deepStrictEqual(comparable(cache.snapshot.entries(), true), comparable(yield* readTree(zk, "/t"), true))
    })
  }

  it.since("3.6.0")(
    "emits no event without a change, and lists nothing again (rows 26 and 40, aiozk emitted three)",
    function* ({ breakable, zk }) {
      const { link, zk: plain } = yield* breakable()
      const { count, zk: mine } = countReads(plain)
      yield* zk.create("/t")
      for (let n = 0; n < 20; n++) yield* zk.create(`/t/${n}`, { data: "x" })
      yield* zk.create("/t/0/below")
      const cache = yield* withClient(mine)(TreeCache.make("/t", { jitter: 0 }))
      assert.deepStrictEqual([count.get, count.stat, count.list], [22, 0, 2])
      const { events } = yield* followChanges(cache.changes, "/t")
      yield* awaitCondition(() => events.includes("synced 22"))
      events.length = 0
      for (let round = 1; round <= 3; round++) {
        yield* link.cut
        yield* awaitCondition(() => cache.freshness === "suspended")
        yield* link.heal
        yield* awaitCondition(() => events.length === 3 * round)
      }
      assert.deepStrictEqual(events, Array.from({ length: 3 }, () => ["suspended", "live", "synced 22"]).flat())
      // All were looked at, and nothing was read that had not changed.
      assert.deepStrictEqual([count.get, count.stat, count.list], [22, 66, 2])
    }
  )

  it.inChroot("gives snapshots that never change", function* ({ zk }) {
    yield* zk.create("/t", { data: "1" })
    for (const name of ["a", "b"]) yield* zk.create(`/t/${name}`, { data: "1" })
    const cache = yield* withClient(zk)(TreeCache.make("/t"))
    const { snapshot } = cache
    const before = comparable(snapshot.entries())
    yield* zk.set("/t/a", "2")
    yield* zk.delete("/t/b")
    yield* zk.create("/t/c")
    yield* awaitCondition(() => dataAt(cache, "/t/a") === "2" && cache.children("/t").has("c") && cache.size === 3)
    assert.deepStrictEqual(comparable(snapshot.entries()), before)
    assert.strictEqual(snapshot.size, 3)
    assert.deepStrictEqual([...snapshot.children("/t").keys()].toSorted(), ["a", "b"])
    assert.deepStrictEqual(cache.get("/elsewhere"), Option.none())
    assert.deepStrictEqual(cache.get("/tt"), Option.none())
    assert.deepStrictEqual(cache.children("/t/none").size, 0)
  })

  it.inChroot("keeps to its depth, its filter, its number and to Stats", function* ({ zk }) {
    yield* zk.create("/t")
    for (const path of ["/t/a", "/t/a/data", "/t/a/data/deep", "/t/no", "/t/no/not"]) {
      yield* zk.create(path, { data: "x" })
    }
    const shallow = yield* withClient(zk)(TreeCache.make("/t", { maxDepth: 1 }))
    const chosen = yield* withClient(zk)(TreeCache.make("/t", { filter: (path) => !path.endsWith("/no") }))
    const stats = yield* withClient(zk)(TreeCache.make("/t", { data: false }))
    const few = yield* withClient(zk)(TreeCache.make("/t", { maxNodes: 3 }))
    const paths = (cache: TreeCache.TreeCache) => [...cache.snapshot.entries()].map(([path]) => path).toSorted()
    assert.deepStrictEqual(paths(shallow), ["/t", "/t/a", "/t/no"])
    assert.deepStrictEqual(paths(chosen), ["/t", "/t/a", "/t/a/data", "/t/a/data/deep"])
    assert.strictEqual(stats.size, 6)
    assert.deepStrictEqual(
      [...stats.snapshot.entries()].map(([, { data, stat }]) => [data.length, stat.dataLength]).slice(1),
      Array.from({ length: 5 }, () => [0, 1])
    )
    assert.deepStrictEqual(paths(few), ["/t", "/t/a", "/t/no"])
    const told = (yield* followChanges(few.changes, "/t")).events
    yield* awaitCondition(() => told.includes("full 3"))
    yield* zk.create("/t/a/data2")
    yield* zk.create("/t/no/not2")
    yield* zk.set("/t/a/data", "changed")
    yield* awaitCondition(() => paths(chosen).includes("/t/a/data2") && dataAt(chosen, "/t/a/data") === "changed")
    yield* awaitCondition(() => stats.size === 8)
    assert.isFalse(paths(chosen).includes("/t/no"))
    assert.deepStrictEqual(paths(few), ["/t", "/t/a", "/t/no"])
    // The Stat of what is held counts what is not.
    if (it.isAtLeast("3.6.0")) {
      yield* awaitCondition(() => Option.exists(shallow.get("/t/a"), ({ stat }) => stat.numChildren === 2))
    }
    // There is room again, and somebody comes in.
    yield* zk.deleteAll("/t/no")
    yield* awaitCondition(() => few.size === 3 && !paths(few).includes("/t/no"))
  })

  it.inChroot(
    "reports a znode without READ once, asks rarely, and has it when it is readable (aiozk asked 2285 times a second)",
    function* ({ zk: plain }) {
      const { count, zk } = countReads(plain)
      yield* plain.create("/t")
      yield* plain.create("/t/open", { data: "1" })
      yield* plain.create("/t/shut", { data: "2", acl: [Acl.world("cdwa")] })
      yield* plain.create("/t/shut/below", { data: "3" })
      const cache = yield* withClient(zk)(TreeCache.make("/t"))
      const { events } = yield* followChanges(cache.changes, "/t")
      yield* awaitCondition(() => events.length === 5)
      assert.deepStrictEqual(events.splice(0).toSorted(), [
        "+/t",
        "+/t/open 1",
        "live",
        "synced 2",
        "unreadable /t/shut NoAuth"
      ])
      const before = count.get
      for (let n = 0; n < 20; n++) yield* plain.set("/t/shut", String(n))
      yield* plain.set("/t/open", "2")
      yield* awaitCondition(() => dataAt(cache, "/t/open") === "2")
      assert.isAtMost(count.get - before, 4)
      yield* plain.setAcl("/t/shut", Acl.open)
      yield* awaitCondition(() => dataAt(cache, "/t/shut/below") === "3")
      // Listeners run after the cache.
      yield* awaitCondition(() => events.length === 3)
      assert.deepStrictEqual(events, ["*/t/open 1>2", "+/t/shut 19", "+/t/shut/below 3"])
      yield* plain.create("/closed", { acl: [Acl.world("cdwa")] })
      yield* failure(withClient(zk)(TreeCache.make("/closed")), "NoAuth")
      const waiting = yield* withClient(zk)(TreeCache.make("/closed", { wait: false }))
      yield* awaitCondition(() => waiting.freshness === "live")
      assert.strictEqual(waiting.size, 0)
    }
  )

  it.inChroot(
    "leaves out a list that is too large for a reply, and goes on with the rest",
    function* ({ another, zk }) {
      yield* zk.create("/t")
      yield* zk.create("/t/a", { data: "1" })
      yield* zk.create("/t/large")
      yield* Effect.forEach(Array.from({ length: 100 }), (_, n) => zk.create(`/t/large/${"x".repeat(50)}-${n}`), {
        concurrency: 20
      })
      const mine = yield* another({ maxFrameSize: 4096 })
      const cache = yield* withClient(mine)(TreeCache.make("/t", { jitter: 0 }))
      const { events } = yield* followChanges(cache.changes, "/t")
      yield* awaitCondition(() => events.includes("unreadable /t/large FrameTooLarge") && cache.freshness === "live")
      assert.strictEqual(cache.size, 3)
      assert.deepStrictEqual(cache.children("/t/large").size, 0)
      yield* zk.set("/t/a", "2")
      yield* awaitCondition(() => dataAt(cache, "/t/a") === "2")
      if (!it.isAtLeast("3.6.0")) return
      // From now on each creation is reported by itself.
      yield* zk.create("/t/large/new")
      yield* awaitCondition(() => cache.children("/t/large").has("new"))
      assert.strictEqual(events.filter((line) => line.startsWith("unreadable")).length, 1)
    }
  )

  it.inChroot("reads as many at once as its options say", function* ({ zk: plain }) {
    const { count, zk } = countReads(plain)
    yield* plain.create("/t")
    yield* Effect.forEach(
      Array.from({ length: 300 }, (_, n) => `/t/${n}`),
      (path) => plain.create(path),
      {
        concurrency: 50
      }
    )
    const cache = yield* withClient(zk)(TreeCache.make("/t", { concurrency: 7 }))
    assert.strictEqual(cache.size, 301)
    assert.strictEqual(count.most, 7)
    yield* failure(withClient(zk)(TreeCache.make("/t", { concurrency: 0 })), "InvalidArgument")
    yield* failure(withClient(zk)(TreeCache.make("t")), "InvalidArgument")
  })

  it.inChroot("returns at once if it is not to wait, and reads through on demand", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    yield* zk.create("/t", { data: "1" })
    const cache = yield* withClient(mine)(TreeCache.make("/t", { wait: false, jitter: 0 }))
    yield* awaitCondition(() => dataAt(cache, "/t") === "1")
    yield* link.cut
    yield* awaitCondition(() => cache.freshness === "suspended")
    yield* zk.set("/t", "2")
    assert.strictEqual(dataAt(cache, "/t"), "1")
    const reading = yield* Effect.forkChild(cache.readThrough("/t"), now)
    yield* link.heal
    assert.strictEqual(text(Option.getOrThrow(yield* Fiber.join(reading)).data), "2")
    assert.deepStrictEqual(yield* cache.readThrough("/t/none"), Option.none())
  })

  it.inChroot("loads although a reply is lost on the way", function* ({ breakable, watches, zk }) {
    const { link, zk: mine } = yield* breakable()
    yield* zk.create("/t")
    for (let n = 0; n < 5; n++) yield* zk.create(`/t/${n}`)
    for (const operation of [Operations.addWatch, Operations.getData, Operations.getChildren2]) {
      yield* link.loseReply(operation)
      yield* inScope(function* () {
        const cache = yield* withClient(mine)(TreeCache.make("/t", { jitter: 0 }))
        assert.strictEqual(cache.size, 6)
      })
    }
    yield* awaitNoWatches(watches)
  })
})
