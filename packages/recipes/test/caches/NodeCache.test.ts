import { Acl } from "@effect-zookeeper/client"
import type { Gap, WatchEvent } from "@effect-zookeeper/protocol/WatchEvent"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as NodeCache from "../../src/NodeCache.ts"
import { countReads, followChanges, watchingWays } from "../support/caches.ts"
import { withClient, describeOnServers, awaitCondition, text, awaitNoWatches, inScope } from "../support/targets.ts"

const textIn = (cache: NodeCache.NodeCache) => Option.getOrNull(Option.map(cache.get(), ({ data }) => text(data)))

describeOnServers("a node cache", (it) => {
  // Servers hide the event, and take a one-shot watch for used.
  it.inChroot("shows a znode that was created again while its deletion was hidden", function* ({ zk }) {
    yield* zk.create("/n", { data: "old" })
    const cache = yield* withClient(zk)(NodeCache.make("/n"))
    assert.strictEqual(textIn(cache), "old")
    yield* zk.setAcl("/n", [Acl.world("cdwa")])
    yield* zk.delete("/n")
    yield* zk.create("/n", { data: "new" })
    yield* awaitCondition(() => textIn(cache) === "new")
    yield* zk.set("/n", "newer")
    yield* awaitCondition(() => textIn(cache) === "newer")
  })

  for (const [how, mode] of watchingWays) {
    // aiozk's DataWatcher ends at the first NoNode, and never begins again.
    it.inChroot(
      `tells none, a value, none, a value, by ${how} (row 17, aiozk 76 to 78, 82, 83)`,
      function* ({ watches, zk }) {
        yield* inScope(function* () {
          const cache = yield* withClient(mode(zk))(NodeCache.make("/parent/node"))
          assert.isNull(textIn(cache))
          const { events } = yield* followChanges(cache.changes, "/parent/node")
          // Ancestors are none of its business.
          yield* zk.create("/parent")
          const large = "x".repeat(4000)
          for (const value of ["1", large]) {
            yield* zk.create("/parent/node", { data: value })
            yield* awaitCondition(() => textIn(cache) === value)
            yield* zk.delete("/parent/node")
            yield* awaitCondition(() => textIn(cache) === null)
          }
          yield* awaitCondition(() => events.length === 6)
          assert.deepStrictEqual(events, [
            "live",
            "synced 0",
            "+/parent/node 1",
            "-/parent/node",
            `+/parent/node ${large}`,
            "-/parent/node"
          ])
        })
        yield* awaitNoWatches(watches)
      }
    )

    // aiozk tells a reconnection as a change.
    it.inChroot(
      `has the last of many values, each newer than the one before, by ${how} (aiozk 81, 85)`,
      function* ({ breakable, zk }) {
        const { link, zk: mine } = yield* breakable()
        yield* zk.create("/n", { data: "0" })
        const cache = yield* withClient(mode(mine))(NodeCache.make("/n", { jitter: 0 }))
        const { events } = yield* followChanges(cache.changes, "/n")
        for (let n = 1; n <= 50; n++) yield* zk.set("/n", String(n))
        yield* awaitCondition(() => textIn(cache) === "50")
        yield* link.cut
        yield* awaitCondition(() => cache.freshness === "suspended")
        yield* link.heal
        yield* awaitCondition(
          () => events.at(-1) === "synced 1" && events.filter((line) => line === "live").length === 2
        )
        assert.deepStrictEqual(events.slice(-3), ["suspended", "live", "synced 1"])
        const values = events.filter((line) => line.startsWith("*")).map((line) => Number(line.split(">")[1]))
        assert.deepStrictEqual(
          values,
          values.toSorted((a, b) => a - b)
        )
        assert.strictEqual(values.at(-1), 50)
      }
    )
  }

  it.since("3.6.0")("counts children, and has no events for them", function* ({ zk }) {
    yield* zk.create("/n", { data: "1" })
    const cache = yield* withClient(zk)(NodeCache.make("/n"))
    const { events } = yield* followChanges(cache.changes, "/n")
    yield* zk.create("/n/child")
    yield* awaitCondition(() => Option.exists(cache.get(), ({ stat }) => stat.numChildren === 1))
    yield* zk.setAcl("/n", Acl.open)
    yield* zk.set("/n", "2")
    yield* awaitCondition(() => textIn(cache) === "2")
    assert.deepStrictEqual(events, ["+/n 1", "live", "synced 1", "*/n 1>2"])
  })

  // One callback of aiozk's that throws ends all of them, and one that stays keeps its watch.
  it.inChroot("has independent listeners (row 19)", function* ({ zk }) {
    yield* zk.create("/n", { data: "1" })
    const cache = yield* withClient(zk)(NodeCache.make("/n"))
    const one = yield* followChanges(cache.changes, "/n")
    const failing = yield* Effect.forkChild(
      Stream.runForEach(cache.changes, (event) => (event._tag === "Updated" ? Effect.fail("broken") : Effect.void))
    )
    const leaving = yield* Effect.forkChild(Stream.runDrain(Stream.take(cache.changes, 1)))
    yield* Fiber.join(leaving)
    yield* Effect.sleep("10 millis")
    yield* zk.set("/n", "2")
    assert.strictEqual(yield* Effect.flip(Fiber.join(failing)), "broken")
    yield* zk.set("/n", "3")
    yield* awaitCondition(() => one.events.at(-1) === "*/n 2>3")
    const late = yield* followChanges(cache.changes, "/n")
    yield* awaitCondition(() => late.events.length === 3)
    assert.deepStrictEqual(late.events, ["+/n 3", "live", "synced 1"])
  })

  it.inChroot("ends with its session where none follows", function* ({ another, expire, zk }) {
    const mine = yield* another({ sessionExpiry: "fail" })
    yield* zk.create("/n", { data: "1" })
    const cache = yield* withClient(mine)(NodeCache.make("/n"))
    const { fiber, events } = yield* followChanges(cache.changes, "/n")
    yield* awaitCondition(() => events.length === 3)
    yield* expire(mine)
    assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "SessionExpired")
    assert.strictEqual(cache.freshness, "lost")
    assert.strictEqual(textIn(cache), "1")
  })

  it.since("3.6.0")(
    "does not read what it has, nor deleted znodes, where events name their transaction",
    function* ({ zk: plain }) {
      const { count, zk: counting } = countReads(plain)
      const zxidAt = (path: string) =>
        Effect.map(Effect.all([Effect.orDie(plain.stat(path)), Effect.orDie(plain.stat("/"))]), ([own, parent]) =>
          Option.orElse(
            Option.map(own, ({ mzxid }) => mzxid),
            () => Option.map(parent, ({ pzxid }) => pzxid)
          )
        )
      // As since ZooKeeper 3.9, and each event comes again when it is long known.
      const mine: typeof plain = {
        ...counting,
        session: plain.session,
        events: (path, options) =>
          Stream.flatMap(plain.events(path, options), (event): Stream.Stream<WatchEvent | Gap> => {
            if (event.type === "Gap") return Stream.succeed(event)
            const said = Stream.fromEffect(Effect.map(zxidAt(event.path), (zxid) => ({ ...event, zxid })))
            return Stream.concat(said, Stream.fromEffectDrain(Effect.sleep("30 millis")).pipe(Stream.concat(said)))
          })
      }
      yield* plain.create("/n", { data: "1" })
      const cache = yield* withClient(mine)(NodeCache.make("/n"))
      const { events } = yield* followChanges(cache.changes, "/n")
      const before = { ...count }
      for (const value of ["2", "3", "4"]) {
        yield* plain.set("/n", value)
        yield* awaitCondition(() => textIn(cache) === value)
        yield* Effect.sleep("100 millis")
      }
      yield* plain.delete("/n")
      yield* awaitCondition(() => textIn(cache) === null && events.at(-1) === "-/n")
      assert.strictEqual(count.get - before.get, 3)
      assert.strictEqual(count.stat, before.stat)
      assert.deepStrictEqual(events, ["+/n 1", "live", "synced 1", "*/n 1>2", "*/n 2>3", "*/n 3>4", "-/n"])
    }
  )
})
