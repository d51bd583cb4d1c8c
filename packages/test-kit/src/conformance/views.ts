/** Chroots: one session, seen from a sub-tree. */
import { Op } from "@effect-zookeeper/client"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { failure, pullFrom, text } from "../Expectations.ts"
import { type ConformanceTests, connect, connectTo, Target } from "./Target.ts"

export const views = (it: ConformanceTests): void => {
  describe("a chroot", () => {
    it.inChroot("is put before paths and taken off answers", function* ({ chroot, root, zk }) {
      const inner = yield* zk.withChroot("/inner")
      yield* inner.ensurePath("/")
      assert.strictEqual(yield* inner.create("/a", { mode: "persistentSequential" }), "/a0000000000")
      assert.strictEqual((yield* inner.createWithStat("/b")).path, "/b")
      assert.strictEqual(
        (yield* inner.createWithStat("/b/n-", { mode: "persistentSequential" })).path,
        "/b/n-0000000000"
      )
      assert.deepStrictEqual(yield* inner.transaction([Op.create("/c"), Op.create("/c/d")]), ["/c", "/c/d"])
      assert.isTrue(yield* root.exists(`${chroot}/inner/c/d`))
      assert.strictEqual((yield* failure(inner.get("/no"), "NoNode")).path, "/no")
      const failed = yield* failure(inner.transaction([Op.delete("/no")]), "TransactionFailed")
      assert.strictEqual(failed.error.path, "/no")
      assert.strictEqual(inner.session.id, root.session.id)
      assert.deepStrictEqual([root.chroot, inner.chroot], ["", `${chroot}/inner`])
    })

    it.inChroot("is the connect string's, and the option's within it", function* ({ chroot, zk }) {
      const target = yield* Target
      const way = { ...target, servers: target.servers + chroot }
      const inner = yield* connectTo(way, { chroot: "/inner" })
      yield* inner.createWithParents("/a/b", { data: "1" })
      assert.strictEqual(text(yield* zk.getData("/inner/a/b")), "1")
      assert.deepStrictEqual(yield* inner.getChildren("/"), ["a"])
    })

    it.inChroot("need not exist, but what is in it needs it", function* ({ chroot }) {
      const zk = yield* connect({ chroot: `${chroot}/not-yet` })
      assert.isFalse(yield* zk.exists("/"))
      yield* failure(zk.create("/a"), "NoNode")
      yield* failure(zk.getChildren("/"), "NoNode")
      yield* zk.ensurePath("/")
      yield* zk.create("/a")
    })

    it.since(
      "3.6.0",
      "is taken off events",
      ({ zk }) => [Stream.runDrain(zk.events("/"))],
      function* ({ root, chroot, zk }) {
        yield* zk.create("/a")
        const data = yield* zk.getAndWatch("/")
        yield* zk.set("/", "x")
        assert.strictEqual((yield* data.changed).path, "/")
        const events = yield* pullFrom(zk.events("/", { recursive: true }))
        yield* Effect.sleep("10 millis")
        yield* zk.sync()
        const children = yield* zk.getChildrenAndWatch("/")
        yield* root.create(`${chroot}/b`)
        const event = yield* children.changed
        assert.deepStrictEqual([event.type, event.path], ["NodeChildrenChanged", "/"])
        const created = yield* events
        assert.deepStrictEqual([created.type, created.path], ["NodeCreated", "/b"])
      }
    )
  })

  describe("a view that tracks versions", () => {
    it.inChroot("writes only what it has read", function* ({ zk }) {
      yield* zk.create("/a", { data: "0" })
      const tracked = yield* zk.trackVersions
      yield* tracked.get("/a")
      yield* tracked.set("/a", "1")
      yield* zk.set("/a", "2")
      yield* failure(tracked.set("/a", "3"), "BadVersion")
      yield* tracked.get("/a")
      yield* tracked.delete("/a")
    })
  })
}
