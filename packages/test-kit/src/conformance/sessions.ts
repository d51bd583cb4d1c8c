/** Sessions: how long they live, how they are resumed, and what ends with them. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { failure, inScope } from "../Expectations.ts"
import { type ConformanceTests, connect, connectTo, makeChrootWithLink, Target } from "./Target.ts"

export const sessions = (it: ConformanceTests): void => {
  describe("a session", () => {
    it.effect("gets a timeout within the server's bounds", function* () {
      const timeouts = [
        ["7 seconds", 7_000],
        ["10 millis", 1_000],
        ["1 hour", 60_000]
      ] as const
      for (const [sessionTimeout, granted] of timeouts) {
        assert.strictEqual((yield* connect({ sessionTimeout })).session.timeout, granted)
      }
    })

    it.effect("has an id and a password of its own", function* () {
      const [one, two] = [yield* connect(), yield* connect()]
      assert.notStrictEqual(one.session.id, 0n)
      assert.notStrictEqual(one.session.id, two.session.id)
      assert.lengthOf(Redacted.value(one.session.password), 16)
      assert.notDeepEqual(Redacted.value(one.session.password), Redacted.value(two.session.password))
    })

    it.inChroot("has seen the transactions up to those of its answers", function* ({ zk }) {
      const { stat } = yield* zk.createWithStat("/a")
      assert.isTrue(zk.session.lastZxid >= stat.czxid)
      const seen = zk.session.lastZxid
      const { mzxid } = yield* zk.set("/a", "1")
      assert.isTrue(mzxid > seen && zk.session.lastZxid >= mzxid)
      const other = yield* connect()
      yield* other.exists("/")
      assert.isTrue(other.session.lastZxid >= mzxid)
    })

    it.inChroot(
      "takes its ephemerals along when it is closed, before anyone is told that it is",
      function* ({ chroot, zk }) {
        const closed = yield* inScope(function* () {
          const other = yield* connect({ chroot })
          const { stat } = yield* other.createWithStat("/e1", { mode: "ephemeral" })
          assert.strictEqual(stat.ephemeralOwner, other.session.id)
          yield* other.create("/e2-", { mode: "ephemeralSequential" })
          yield* other.create("/p")
          assert.lengthOf(yield* zk.getChildren("/"), 3)
          return other
        })
        yield* zk.sync()
        assert.deepStrictEqual(yield* zk.getChildren("/"), ["p"])
        yield* failure(closed.exists("/"), "SessionClosed")
      }
    )

    it.inChroot("keeps its ephemerals when it is left, until it expires", function* ({ chroot, zk }) {
      const watched = yield* inScope(function* () {
        const other = yield* connect({ chroot, sessionTimeout: "1 second" })
        yield* other.create("/e", { mode: "ephemeral" })
        const watched = yield* zk.existsAndWatch("/e")
        yield* other.session.detach
        return watched
      })
      assert.isTrue(yield* zk.exists("/e"))
      assert.strictEqual((yield* watched.changed).type, "NodeDeleted")
    })

    it.inChroot("is taken up again with all that it had", function* ({ chroot }) {
      const session = yield* inScope(function* () {
        const first = yield* connect({ chroot })
        yield* first.create("/e", { mode: "ephemeral" })
        const { id, password } = first.session
        yield* first.session.detach
        return { id, password }
      })
      const second = yield* connect({ chroot, session, sessionTimeout: "20 seconds" })
      assert.strictEqual(second.session.id, session.id)
      assert.strictEqual(second.session.timeout, 20_000)
      assert.deepStrictEqual(Redacted.value(second.session.password), Redacted.value(session.password))
      assert.strictEqual((yield* second.get("/e")).stat.ephemeralOwner, session.id)
      yield* second.delete("/e")
    })

    it.inChroot("is refused with a wrong password, and after its end", function* ({ chroot }) {
      const { id, password } = yield* inScope(function* () {
        const owner = yield* connect({ chroot })
        const { id, password } = owner.session
        const wrong = Redacted.make(new Uint8Array(16).fill(7))
        const session = { id, password: wrong }
        const error = yield* failure(connect({ session, sessionExpiry: "fail" }), "SessionExpired")
        assert.strictEqual(error.sessionId, id)
        assert.notStrictEqual((yield* connect({ session })).session.id, id)
        // The attempts have cost the owner the connection, not the session.
        assert.isFalse(yield* owner.exists("/nothing"))
        assert.strictEqual(owner.session.id, id)
        return { id, password }
      })
      yield* failure(connect({ session: { id, password }, sessionExpiry: "fail" }), "SessionExpired")
    })

    it.effect("that somebody else closes is over for its owner", function* () {
      const { beside, chroot, link, zk } = yield* makeChrootWithLink({ sessionExpiry: "fail" })
      yield* zk.create("/e", { mode: "ephemeral" })
      const { id, password } = zk.session
      yield* link.cut
      yield* Effect.scoped(connectTo(yield* Target, { chroot, session: { id, password } }))
      assert.isFalse(yield* beside.exists("/e"))
      yield* link.heal
      yield* Stream.runDrain(Stream.takeUntil(zk.session.states, ({ _tag }) => _tag === "Expired"))
      yield* failure(zk.exists("/"), "SessionExpired")
    })

    it.withLink("that expires is followed by a new one", function* ({ beside, chroot, link, zk }) {
      yield* zk.create("/e", { mode: "ephemeral" })
      const { changed } = yield* zk.getAndWatch("/e")
      const { id, password } = zk.session
      yield* link.cut
      yield* Effect.scoped(connectTo(yield* Target, { chroot, session: { id, password } }))
      yield* link.heal
      yield* failure(changed, "SessionExpired")
      yield* zk.create("/e", { mode: "ephemeral" })
      assert.notStrictEqual(zk.session.id, id)
      assert.strictEqual((yield* beside.get("/e")).stat.ephemeralOwner, zk.session.id)
    })

    it.effect("lives on as long as its client does, however idle", function* () {
      const zk = yield* connect({ sessionTimeout: "2 seconds", sessionExpiry: "fail" })
      const { id } = zk.session
      yield* Effect.sleep("3 seconds")
      assert.deepStrictEqual([zk.session.state._tag, zk.session.id], ["Connected", id])
      assert.isTrue(yield* zk.exists("/"))
    })
  })
}
