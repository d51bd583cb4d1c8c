/** Watches of every kind: their events, how often they fire, and in which order. */
import { Acl, Op, type ZooKeeper } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { childrenOf, dataOf, eventually, failure, inScope, now, pullFrom, text } from "../Expectations.ts"
import { type ConformanceTests, connect, type InChroot } from "./Target.ts"

/** The next so many events, as `NodeCreated /a`. */
const nextEvents = (next: Effect.Effect<{ readonly type: string; readonly path: string }, unknown>, count: number) =>
  Effect.map(Effect.replicateEffect(next, count), (events) => events.map(({ path, type }) => `${type} ${path}`))

/** A persistent watch, which the server has when this returns. */
const eventsOf = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  path: string,
  options?: { readonly recursive: boolean }
) {
  const ready = yield* Deferred.make<void>()
  const next = yield* pullFrom(zk.events(path, { ...options, onReady: () => Deferred.doneUnsafe(ready, Effect.void) }))
  yield* Deferred.await(ready)
  return next
})

/** Both kinds of persistent watches. */
const persistent = ({ zk }: InChroot) => [
  Stream.runDrain(zk.events("/")),
  Stream.runDrain(zk.events("/", { recursive: true }))
]

export const watching = (it: ConformanceTests): void => {
  describe("a one-shot watch", () => {
    it.inChroot(
      "of data tells the next change, by the client's path, whichever client makes it",
      function* ({ chroot, zk }) {
        const other = yield* connect({ chroot })
        yield* zk.create("/a", { data: "1" })
        const mine = yield* zk.getAndWatch("/a")
        const theirs = yield* other.getAndWatch("/a")
        assert.deepStrictEqual([text(mine.data), mine.stat.version], ["1", 0])
        yield* zk.set("/a", "2")
        for (const { changed } of [mine, theirs]) {
          const { path, type } = yield* changed
          assert.deepStrictEqual([type, path], ["NodeDataChanged", "/a"])
          // It can be asked again.
          assert.strictEqual((yield* changed).type, "NodeDataChanged")
        }
      }
    )

    it.inChroot("of data tells a deletion", function* ({ zk }) {
      yield* zk.create("/a")
      const { changed } = yield* zk.getAndWatch("/a")
      // None of these concerns the watch.
      yield* zk.create("/a/b")
      yield* zk.delete("/a/b")
      yield* zk.setAcl("/a", Acl.open)
      yield* zk.delete("/a")
      assert.strictEqual((yield* changed).type, "NodeDeleted")
    })

    it.inChroot("of existence tells creation, data and deletion, one of them each", function* ({ zk }) {
      const absent = yield* zk.existsAndWatch("/a")
      assert.isTrue(Option.isNone(absent.stat))
      yield* zk.create("/a")
      assert.strictEqual((yield* absent.changed).type, "NodeCreated")
      const there = yield* zk.existsAndWatch("/a")
      assert.isTrue(Option.isSome(there.stat))
      yield* zk.set("/a", "1")
      assert.strictEqual((yield* there.changed).type, "NodeDataChanged")
      const last = yield* zk.existsAndWatch("/a")
      yield* zk.delete("/a")
      assert.strictEqual((yield* last.changed).type, "NodeDeleted")
    })

    it.inChroot("of children tells that one came or went, and that the parent went", function* ({ zk }) {
      yield* zk.create("/a")
      const created = yield* zk.getChildrenAndWatch("/a")
      assert.deepStrictEqual(created.children, [])
      yield* zk.set("/a", "not its business")
      yield* zk.create("/a/b")
      assert.deepStrictEqual(yield* nextEvents(created.changed, 1), ["NodeChildrenChanged /a"])
      const deleted = yield* zk.getChildrenAndWatch("/a")
      assert.deepStrictEqual(deleted.children, ["b"])
      yield* zk.set("/a/b", "not watched either")
      yield* zk.delete("/a/b")
      assert.deepStrictEqual(yield* nextEvents(deleted.changed, 1), ["NodeChildrenChanged /a"])
      const gone = yield* zk.getChildrenAndWatch("/a")
      yield* zk.delete("/a")
      assert.deepStrictEqual(yield* nextEvents(gone.changed, 1), ["NodeDeleted /a"])
    })

    it.inChroot("is not set by a read that fails", function* ({ zk }) {
      yield* failure(zk.getAndWatch("/no"), "NoNode")
      yield* failure(zk.getChildrenAndWatch("/no"), "NoNode")
      yield* zk.create("/hidden", { acl: [Acl.world("w")] })
      yield* failure(zk.getAndWatch("/hidden"), "NoAuth")
    })

    it.inChroot("can be given up", function* ({ zk }) {
      yield* zk.create("/a")
      const first = yield* zk.getAndWatch("/a")
      const waiting = yield* Effect.forkChild(first.changed, now)
      const other = yield* Effect.forkChild(first.changed, now)
      yield* Fiber.interrupt(other)
      assert.isUndefined(waiting.pollUnsafe())
      // The watch ends with the last fiber that waits for it.
      yield* Fiber.interrupt(waiting)
      yield* failure(first.changed, "SessionClosed")
      assert.strictEqual(zk.session.state._tag, "Connected")
      const second = yield* zk.getAndWatch("/a")
      yield* zk.set("/a", "1")
      assert.strictEqual((yield* second.changed).type, "NodeDataChanged")
    })

    it.inChroot("tells before any answer shows what it told", function* ({ chroot, zk }) {
      const other = yield* connect({ chroot })
      yield* zk.create("/a", { data: "0" })
      for (let n = 1; n <= 20; n++) {
        const { changed } = yield* zk.getAndWatch("/a")
        let wasTold = false
        const hear = Effect.map(changed, () => (wasTold = true))
        yield* Effect.forkChild(hear, now)
        const writing = yield* Effect.forkChild(other.set("/a", String(n)), now)
        let seen = ""
        while (seen !== String(n)) seen = text(yield* zk.getData("/a"))
        assert.isTrue(wasTold)
        yield* Fiber.join(writing)
      }
    })

    it.inChroot("tells of what a session takes along", function* ({ chroot, zk }) {
      const [data, children] = yield* inScope(function* () {
        const other = yield* connect({ chroot })
        yield* other.create("/e", { mode: "ephemeral" })
        return [yield* zk.getAndWatch("/e"), yield* zk.getChildrenAndWatch("/")] as const
      })
      assert.deepStrictEqual(yield* nextEvents(data.changed, 1), ["NodeDeleted /e"])
      assert.deepStrictEqual(yield* nextEvents(children.changed, 1), ["NodeChildrenChanged /"])
    })
  })

  describe("a persistent watch", () => {
    it.since("3.6.0", "tells all of a znode and its list of children", persistent, function* ({ zk }) {
      const next = yield* eventsOf(zk, "/a")
      yield* zk.create("/a")
      yield* zk.set("/a", "1")
      yield* zk.create("/a/b")
      yield* zk.set("/a/b", "not its business")
      yield* zk.delete("/a/b")
      yield* zk.delete("/a")
      assert.deepStrictEqual(yield* nextEvents(next, 5), [
        "NodeCreated /a",
        "NodeDataChanged /a",
        "NodeChildrenChanged /a",
        "NodeChildrenChanged /a",
        "NodeDeleted /a"
      ])
    })

    it.since(
      "3.6.0",
      "that is recursive tells all at and below, and no lists of children",
      persistent,
      function* ({ zk }) {
        const next = yield* eventsOf(zk, "/a", { recursive: true })
        yield* zk.create("/a")
        yield* zk.create("/ab")
        yield* zk.create("/a/b")
        yield* zk.create("/a/b/c")
        yield* zk.set("/a/b/c", "1")
        yield* zk.deleteAll("/a")
        assert.deepStrictEqual(yield* nextEvents(next, 7), [
          "NodeCreated /a",
          "NodeCreated /a/b",
          "NodeCreated /a/b/c",
          "NodeDataChanged /a/b/c",
          "NodeDeleted /a/b/c",
          "NodeDeleted /a/b",
          "NodeDeleted /a"
        ])
      }
    )

    it.since("3.6.0", "names the transaction of each event from 3.9 on", persistent, function* ({ zk }) {
      const next = yield* eventsOf(zk, "/a")
      assert.isUndefined(zk.session.serverFeatures.eventZxids)
      yield* zk.create("/a")
      const created = yield* next
      const { stat } = yield* zk.get("/a")
      const hasZxids = it.isAtLeast("3.9.0")
      if (created.type === "Gap") return assert.fail("no event was missed")
      assert.deepStrictEqual(created.zxid, hasZxids ? Option.some(stat.czxid) : Option.none())
      assert.strictEqual(zk.session.serverFeatures.eventZxids, hasZxids)
    })

    it.since("3.6.0", "tells of a transaction in the order of its operations", persistent, function* ({ chroot, zk }) {
      const other = yield* connect({ chroot })
      yield* zk.create("/old")
      const next = yield* eventsOf(zk, "/", { recursive: true })
      yield* other.transaction([
        Op.create("/a"),
        Op.create("/a/b"),
        Op.setData("/old", "1"),
        Op.delete("/a/b"),
        Op.check("/a", 0),
        Op.delete("/old")
      ])
      assert.deepStrictEqual(yield* nextEvents(next, 5), [
        "NodeCreated /a",
        "NodeCreated /a/b",
        "NodeDataChanged /old",
        "NodeDeleted /a/b",
        "NodeDeleted /old"
      ])
    })

    it.since("3.6.0", "and others tell of one change each on its own", persistent, function* ({ zk }) {
      yield* zk.create("/a")
      yield* zk.create("/a/b")
      const persistent = yield* eventsOf(zk, "/a")
      const recursive = yield* eventsOf(zk, "/", { recursive: true })
      const data = yield* zk.getAndWatch("/a/b")
      yield* zk.delete("/a/b")
      assert.deepStrictEqual(yield* nextEvents(data.changed, 1), ["NodeDeleted /a/b"])
      assert.deepStrictEqual(yield* nextEvents(persistent, 1), ["NodeChildrenChanged /a"])
      assert.deepStrictEqual(yield* nextEvents(recursive, 1), ["NodeDeleted /a/b"])
    })

    it.since("3.6.0", "can be ended and set again", persistent, function* ({ zk }) {
      yield* inScope(function* () {
        const next = yield* eventsOf(zk, "/a")
        yield* zk.create("/a")
        assert.deepStrictEqual(yield* nextEvents(next, 1), ["NodeCreated /a"])
      })
      yield* zk.set("/a", "this is not reported")
      const again = yield* eventsOf(zk, "/a")
      yield* zk.delete("/a")
      assert.deepStrictEqual(yield* nextEvents(again, 1), ["NodeDeleted /a"])
    })
  })

  describe("streams of values", () => {
    it.inChroot("give the data, then what it becomes, through deletion and creation", function* ({ chroot, zk }) {
      const other = yield* connect({ chroot })
      const next = yield* pullFrom(dataOf(zk, "/x/y/z"))
      assert.isNull(yield* next)
      yield* other.create("/x")
      yield* other.create("/x/y")
      // The creation of its ancestors is not shown.
      assert.isFalse(yield* zk.exists("/x/y/z"))
      yield* other.create("/x/y/z", { data: "1" })
      assert.strictEqual(yield* next, "1")
      yield* other.set("/x/y/z", "d".repeat(4000))
      assert.strictEqual(yield* next, "d".repeat(4000))
      yield* other.delete("/x/y/z")
      assert.isNull(yield* next)
      yield* other.create("/x/y/z", { data: "3" })
      assert.strictEqual(yield* next, "3")
      yield* other.delete("/x/y/z")
      assert.isNull(yield* next)
    })

    it.inChroot("never go back and end at the last, however fast it is written", function* ({ chroot, zk }) {
      const other = yield* connect({ chroot })
      yield* zk.create("/n", { data: "0" })
      const seen = yield* Effect.forkChild(
        dataOf(zk, "/n").pipe(
          Stream.map(Number),
          Stream.takeUntil((n) => n === 200),
          Stream.runCollect
        )
      )
      yield* Effect.forEach(
        Array.from({ length: 200 }, (_, index) => String(index + 1)),
        (n) => other.set("/n", n),
        { concurrency: 10, discard: true }
      )
      const values = [...(yield* Fiber.join(seen))]
      assert.deepStrictEqual(
        values,
        [...new Set(values)].sort((a, b) => a - b)
      )
    })

    it.inChroot("end at the newest, though all that led to it could not be read", function* ({ chroot, zk }) {
      const owner = yield* connect({ chroot, auth: [{ scheme: "digest", credentials: Redacted.make("bob:secret") }] })
      yield* owner.create("/a", { data: "old" })
      const data = yield* pullFrom(dataOf(zk, "/a"))
      const lists = yield* pullFrom(childrenOf(zk, "/a"))
      assert.deepStrictEqual([yield* data, yield* lists], ["old", []])
      // The watches of the streams come before this.
      yield* zk.exists("/")
      yield* owner.setAcl("/a", Acl.creator)
      // Some servers hide this event, and forget the one-shot watches all the same.
      yield* owner.delete("/a")
      yield* owner.create("/a", { data: "new" })
      yield* owner.create("/a/b")
      yield* eventually(data, (seen) => seen === "new")
      yield* eventually(lists, (seen) => seen?.length === 1)
      yield* owner.set("/a", "newer")
      yield* owner.create("/a/c")
      assert.strictEqual(yield* data, "newer")
      assert.deepStrictEqual(yield* lists, ["b", "c"])
    })

    it.inChroot("fail with NoAuth where reading is forbidden", function* ({ zk }) {
      yield* zk.create("/hidden", { acl: [Acl.world("w")] })
      yield* failure(Stream.runDrain(zk.dataChanges("/hidden")), "NoAuth")
      yield* failure(Stream.runDrain(zk.childrenChanges("/hidden")), "NoAuth")
    })

    it.inChroot("give the lists of children", function* ({ zk }) {
      const next = yield* pullFrom(childrenOf(zk, "/a"))
      assert.isNull(yield* next)
      yield* zk.create("/a")
      assert.deepStrictEqual(yield* next, [])
      yield* zk.create("/a/b")
      assert.deepStrictEqual(yield* next, ["b"])
      yield* zk.create("/a/c")
      assert.deepStrictEqual(yield* next, ["b", "c"])
      yield* zk.delete("/a/b")
      assert.deepStrictEqual(yield* next, ["c"])
      yield* zk.delete("/a/c")
      assert.deepStrictEqual(yield* next, [])
      yield* zk.delete("/a")
      assert.isNull(yield* next)
    })
  })
}
